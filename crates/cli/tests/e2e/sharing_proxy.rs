//! Debian's nginx with the example's file before authority and exchange: TLS and Basic authentication for collector and query,
//! and the sizes that it lets through.

use crate::home::Home;
use crate::sharing_kms::curl;
use crate::sharing_world::{Running, World, certificate, free_port, issuer, listens, post};
use std::path::Path;
use std::process::Command;

const NAME: &str = "cybexp-priv.example.com";
const USER: &str = "johndoe:AKk2345rtfxde5";

/// nginx before both servers, with its files in the world's home.
struct Proxy {
    running: Option<Running>,
    kms: u16,
    exchange: u16,
}

impl Proxy {
    /// None where none is installed, which is said.
    fn start(world: &World) -> Option<Self> {
        if !Path::new("/usr/sbin/nginx").is_file() {
            println!("SKIPPED: nginx is missing: no real proxy stands before the sharing system");
            return None;
        }
        let ours = issuer("ours");
        world.home.file("ca.pem", ours.pem());
        certificate(&world.home, &ours, "sharing", &[NAME, "127.0.0.1"], NAME, false);
        std::fs::rename(world.home.join("sharing.crt"), world.home.join("sharing.pem")).unwrap();
        allow(&world.home, "AKk2345rtfxde5");
        let mut proxy = Self { running: None, kms: free_port(), exchange: free_port() };
        proxy.restart(world, &[]);
        Some(proxy)
    }

    /// With the example as it stands, but for ports, places, and what is replaced.
    fn restart(&mut self, world: &World, replaced: &[(&str, &str)]) {
        drop(self.running.take());
        let example = include_str!("../../../../deploy/sharing/nginx/sharing.conf");
        let mut servers = example
            .replace("listen 5002 ssl", &format!("listen 127.0.0.1:{} ssl", self.kms))
            .replace("listen 5001 ssl", &format!("listen 127.0.0.1:{} ssl", self.exchange))
            .replace("http://127.0.0.1:5012", &world.kms.address)
            .replace("http://127.0.0.1:5011", &format!("http://127.0.0.1:{}", world.port))
            .replace("/etc/nginx", &world.home.path().display().to_string());
        for (from, to) in replaced {
            assert!(servers.contains(from), "{from}");
            servers = servers.replace(from, to);
        }
        let at = world.home.path().display();
        let config = format!(
            "daemon off;\nmaster_process off;\nerror_log {at}/nginx.log;\npid {at}/nginx.pid;\nevents {{}}\nhttp {{\n\
             access_log off;\nclient_body_temp_path {at}/t1;\nproxy_temp_path {at}/t2;\nfastcgi_temp_path {at}/t3;\n\
             uwsgi_temp_path {at}/t4;\nscgi_temp_path {at}/t5;\n{servers}\n}}\n"
        );
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-p").arg(world.home.path()).arg("-c").arg(world.home.file("nginx.conf", config));
        self.running = Some(Running::start(nginx, world.home.join("nginx.out")));
        listens(self.exchange);
    }

    /// One entry for both servers.
    fn config(&self, pass: &str, more: &str) -> String {
        format!(
            "kms: {{url: 'https://127.0.0.1:{}'}}\nbackend_server: {{url: 'https://127.0.0.1:{}', max_post_retries: 0}}\n\
             basic_auth: {{user: johndoe, pass: {pass}}}\ntls: {{ca: ../ca.pem}}\n{more}",
            self.kms, self.exchange
        )
    }
}

/// What nginx lets in.
fn allow(home: &Home, password: &str) {
    let made = Command::new("openssl").args(["passwd", "-apr1", password]).output().unwrap();
    home.file("sharing.htpasswd", format!("johndoe:{}", String::from_utf8(made.stdout).unwrap()));
}

const COLLECTS: &str = "inputs: [{http: '127.0.0.1:0'}]\nbatch: {max_secs: 1}\npolicy:\n  default: {abe_pol: ANALYST}\n  \
                        index: {exact: [src_ip]}\n";
const ASKED: &str = "src_ip=203.0.113.7";

fn send(url: &str, count: usize) {
    for _ in 0..count {
        assert_eq!(post(url, "{\"src_ip\":\"203.0.113.7\"}"), 202, "taken, whatever the proxy says");
    }
}

#[test]
fn through_nginx_with_one_password_for_both_servers_everything_works_and_a_wrong_one_loses_nothing() {
    let world = World::new();
    let Some(mut proxy) = Proxy::start(&world) else { return };
    let _exchange = world.exchange(&["--store", "records"]);
    the_manuals_lines(&world, &proxy);
    let good = proxy.config("AKk2345rtfxde5", "");
    let collects = format!("{good}{COLLECTS}");
    world.member("query", "johndoe", &["ANALYST"], &good);
    world.member("collector", "north", &["SENDER"], &collects);
    let (collector, url) = world.collector("north");
    send(&url, 5);
    world.finds("johndoe", ASKED, 5);
    // the gatekeeper's password changes while it runs
    allow(&world.home, "another one");
    send(&url, 5);
    assert!(world.query("johndoe", &[], ASKED).refused().contains("check basic_auth"));
    let mut collector = collector;
    collector.says("answered 401: check basic_auth");
    allow(&world.home, "AKk2345rtfxde5");
    world.finds("johndoe", ASKED, 10);
    collector.stop();
    // and is wrong from the start
    world.configure("north", &proxy.config("wrong", COLLECTS));
    let (collector, url) = world.collector("north");
    send(&url, 5);
    let said = collector.stop();
    assert!(said.contains("check basic_auth") && said.contains("5 wait for the exchange"), "{said}");
    world.configure("north", &collects);
    let (collector, url) = world.collector("north");
    world.finds("johndoe", ASKED, 15);
    what_is_too_large(&world, &mut proxy, collector, &url);
    proofs(&world);
}

/// As the manual has them.
fn the_manuals_lines(world: &World, proxy: &Proxy) {
    let ca = world.home.join("ca.pem").display().to_string();
    for port in [proxy.kms, proxy.exchange] {
        let resolve = format!("{NAME}:{port}:127.0.0.1");
        let ask = |user: &str, path: &str, more: &[&str]| {
            let url = format!("https://{user}{NAME}:{port}{path}");
            curl(&[&["--cacert", &ca, "--resolve", &resolve][..], more, &[&url]].concat())
        };
        let up = ask(&format!("{USER}@"), "", &[]);
        assert_eq!((up.status, up.body.as_str()), (200, "up\n"));
        assert_eq!(ask("johndoe:wrong@", "", &[]).status, 401);
        assert_eq!(ask("", "", &[]).status, 401);
    }
    // what is as large as a proof may be passes at its path alone, and nothing larger
    let url = |path: &str| format!("https://{USER}@127.0.0.1:{}{path}", proxy.exchange);
    let size = |path: &str, bytes: usize| {
        let body = world.home.file("large", vec![b' '; bytes]);
        let body = format!("@{}", body.display());
        curl(&["--cacert", &ca, "-H", "Expect:", "--data-binary", &body, &url(path)])
    };
    assert!(
        size("/proofs", 20 << 20).is(401)["error"] == "unauthenticated",
        "it is the exchange that answers"
    );
    for (path, bytes) in [("/proofs", 98 << 20), ("/add/enc-data", 10 << 20), ("/query", 10 << 20)] {
        let refused = size(path, bytes);
        assert!(refused.status == 413 && refused.body.contains("nginx"), "{path}: {refused:?}");
    }
}

/// A proxy that takes less than a record: it is told, and nothing is lost.
fn what_is_too_large(world: &World, proxy: &mut Proxy, mut collector: Running, url: &str) {
    proxy.restart(world, &[("client_max_body_size 9m", "client_max_body_size 100k")]);
    for size in [20_000, 150_000, 20_000] {
        let record = format!("{{\"src_ip\":\"203.0.113.7\",\"payload\":\"{}\"}}", "x".repeat(size));
        let file = world.home.file("record", record);
        assert_eq!(post(url, &format!("@{}", file.display())), 202);
    }
    collector.says("takes no body of this size (413)");
    // what stands before it is there, what stands behind it waits
    world.finds("johndoe", ASKED, 16);
    assert!(collector.stop().contains("2 wait for the exchange"));
    proxy.restart(world, &[]);
    let (collector, _) = world.collector("north");
    world.finds("johndoe", ASKED, 18);
    collector.stop();
}

/// A collector's word on an epoch that has ended passes too.
fn proofs(world: &World) {
    world.kms.member(&world.admin, "leaver", &["ANALYST"]);
    world.end_epoch("leaver");
    let (collector, _) = world.collector("north");
    for _ in 0..120 {
        let done = world.query("johndoe", &["--prove"], ASKED);
        if done.err.contains("proven for 1 collectors") {
            assert_eq!(done.out.lines().count(), 18);
            drop(collector);
            return;
        }
        crate::clock::pause(std::time::Duration::from_millis(500));
    }
    panic!("{:?}", world.query("johndoe", &["--prove"], ASKED).err);
}
