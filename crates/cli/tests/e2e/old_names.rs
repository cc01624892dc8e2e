//! The programs under the names that the original's have: the server, its manager, the AuthFile, the client's configuration.

use crate::home::{Home, STRONGROOM};
use crate::served::production;
use crate::setup::{Running, mode, run_as, set_up};

use crate::site::Site;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

#[test]
fn the_manager_initialises_and_stops_the_server_that_its_configuration_describes() {
    let home = Home::new();
    set_up(&home, "initialize: no\n").ok();
    let folder = home.join("etc").display().to_string();
    let public = home.join("convection_sm.root.pub").display().to_string();
    let initialise =
        ["-c", folder.as_str(), "initialize", "--num-keys", "3", "--public-key", public.as_str()];
    let early = run_as(&home, "convection-secrets-manager", &initialise).refused();
    assert!(early.contains("c.native.sock"), "no server yet: {early}");
    let mut server = Running::start(&home, &home.join("run/c.native.sock"));
    let second = run_as(&home, "/usr/bin/convection-sm-server", &["-c", &folder, "start"]).refused();
    assert!(second.contains("secrets"), "{second}");
    let said = run_as(&home, "/opt/x/convection-secrets-manager", &initialise).ok();
    let keys: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("| sruk1-")).collect();
    assert_eq!(keys.len(), 3, "{said}");
    assert!(said.contains("| Unlock Keys") && said.contains("Access Key ID: "), "{said}");
    let id = crate::served::after(&said, "Access Key ID: ");
    let id = id.trim_end_matches('|').trim();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let again = run_as(&home, "convection-secrets-manager", &initialise).refused();
    assert!(again.contains("already initialised"), "{again}");
    assert!(home.run(&["status"]).ok().contains("locked"), "it is left locked");
    assert_eq!(run_as(&home, "convection-secrets-manager", &["-c", &folder, "stop"]).ok(), "Stopped.\n");
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    assert!(!home.join("run/convection-secrets.pid").exists() && !home.join("run/c.sock").exists());
    run_as(&home, "convection-secrets-manager", &["-c", &folder, "stop"]).refused();
}

#[test]
fn the_originals_configuration_is_found_in_its_places_and_refused_with_its_lines() {
    let home = Home::new();
    let nowhere = run_as(&home, "convection-sm-server", &["service-start"]).refused();
    assert!(nowhere.contains(".local/convection-secrets/convection-secrets.*"), "{nowhere}");
    std::fs::create_dir_all(home.join(".local/convection-secrets")).unwrap();
    std::fs::create_dir_all(home.join("data")).unwrap();
    let bad = "service:\n  socket_path: /x\n  use_netwrok: true\nconfig: {path: ./data}\n";
    home.file(".local/convection-secrets/convection-secrets.yaml", bad);
    let said = run_as(&home, "convection-sm-server", &["service-start"]).refused();
    assert!(said.contains("convection-secrets.yaml: line 3: service.use_netwrok: unknown key"), "{said}");
    assert!(std::fs::read_dir(home.join("data")).unwrap().next().is_none(), "nothing was made");
    // the original's own data is left alone
    home.file("data/root.key", "gAAAA");
    home.file(".local/convection-secrets/convection-secrets.yaml", "config: {path: ./data}\n");
    let said = run_as(&home, "convection-sm-server", &["service-start"]).refused();
    assert!(
        said.contains("holds the data of the original server") && said.contains("import convection"),
        "{said}"
    );
    let shown = run_as(&home, "convection-secrets-manager", &["default_config"]).ok();
    assert!(shown.contains("token_max_expire = \"10m\"") && shown.contains("keydb_key_count = 5"), "{shown}");
    let usage = run_as(&home, "convection-sm-server", &["frobnicate"]);
    assert!(usage.code == Some(2) && usage.err.contains("convection-sm-server"), "{usage:?}");
}

#[test]
fn a_server_that_is_called_by_the_old_name_takes_our_own_configuration_too() {
    let home = Home::new();
    std::fs::create_dir(home.join("etc")).unwrap();
    home.file("etc/strongroom.toml", production(&home, ""));
    let _server = Running::start(&home, &home.join("local.sock"));
    let address = format!("unix:{}", home.join("local.sock").display());
    assert!(home.run(&["status", "--address", &address]).ok().contains("uninitialised"));
}

#[test]
fn links_are_made_once_and_replace_only_when_told() {
    let home = Home::new();
    let folder = home.join("bin");
    home.run(&["links", folder.to_str().unwrap()]).refused();
    std::fs::create_dir(&folder).unwrap();
    let said = home.run(&["links", folder.to_str().unwrap()]).ok();
    assert_eq!(said.matches(" made ").count(), 3, "{said}");
    assert_eq!(home.run(&["links", folder.to_str().unwrap()]).ok().matches(" already so ").count(), 3);
    let setup = Command::new(folder.join("convection-secrets-setup")).arg("--help").output().unwrap();
    assert!(String::from_utf8(setup.stdout).unwrap().contains("--input-type"));
    let mine = folder.join("convection-sm-server");
    std::fs::remove_file(&mine).unwrap();
    std::fs::write(&mine, "mine").unwrap();
    std::fs::remove_file(folder.join("convection-secrets-setup")).unwrap();
    let said = home.run(&["links", folder.to_str().unwrap()]).refused();
    assert!(said.contains("convection-sm-server") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    assert!(!folder.join("convection-secrets-setup").exists(), "all or none");
    symlink("/bin/true", folder.join("convection-secrets-setup")).unwrap();
    home.run(&["links", folder.to_str().unwrap(), "--force"]).ok();
    assert_eq!(std::fs::read_link(&mine).unwrap(), Path::new(STRONGROOM));
}

#[test]
fn an_auth_file_logs_in_keeps_the_token_and_loses_it_again() {
    let mut site = Site::bare("");
    site.init("rsa", &[]);
    site.unlock();
    let id = std::fs::read_to_string(site.home.join("root.id")).unwrap();
    let key = site.home.join("root.key").display().to_string();
    for (name, text) in [
        ("a.toml", format!("# mine\nprivate_key = \"{key}\" # there\naccess_key_id = \"{id}\"\n")),
        ("a.yaml", format!("# mine\nprivate_key: {key}\naccess_key_id: {id}\n")),
        ("a.json", format!("{{\n  \"access_key_id\": \"{id}\",\n  \"private_key\": \"{key}\"\n}}\n")),
    ] {
        let file = site.home.file(name, &text);
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let path = file.display().to_string();
        let said = site.run(&["login", "--auth-file", &path]).ok();
        assert!(said.contains(name), "{said}");
        assert_eq!(mode(&file), 0o600, "{name}");
        assert!(std::fs::read_to_string(&file).unwrap().contains("auth_token"), "{name}");
        assert!(site.run(&["whoami", "-A", &path]).ok().contains("root"), "{name}");
        site.run(&["store", "list"]).refused();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(site.run(&["whoami", "-A", &path]).refused().contains("chmod 600"), "{name}");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        site.run(&["logout", "-A", &path]).ok();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{name}: all else stays");
        site.run(&["whoami", "-A", &path]).refused();
    }
    // a private key with a password, which stands in the file
    let sealed = site.home.join("sealed.key");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs8", "-topk8", "-passout", "pass:hunter2", "-in", &key, "-out"]).arg(&sealed);
    assert!(openssl.output().unwrap().status.success());
    std::fs::set_permissions(&sealed, Permissions::from_mode(0o600)).unwrap();
    for (word, good) in [("hunter2", true), ("hunter3", false)] {
        let text = format!("private_key: {}\naccess_key_id: {id}\nkey_password: {word}\n", sealed.display());
        let file = site.home.file("sealed.yaml", text).display().to_string();
        let done = site.run(&["login", "-A", &file]);
        assert_eq!(done.code == Some(0), good, "{done:?}");
        assert!(!done.err.contains("hunter"), "{done:?}");
    }
    // the server is away: the token goes all the same, and that it was not ended is said
    let path = site.home.join("a.yaml").display().to_string();
    site.run(&["login", "-A", &path]).ok();
    site.stop();
    site.run(&["logout", "-A", &path]).refused();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("auth_token"));
    let bad =
        site.home.file("bad.toml", "access_key_id = 'x'\nauth_tokn = 'hunter2'\n").display().to_string();
    let said = site.run(&["login", "-A", &bad]).refused();
    assert!(said.contains("bad.toml: line 2: auth_tokn: unknown key") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_clients_configuration_is_believed_only_if_nobody_else_could_have_written_it() {
    let home = Home::new();
    let text = format!("[global.secrets.client]\nsocket_path = \"{}/c.sock\"\n", home.path().display());
    let file = home.file("convection-secrets.client.toml", text);
    let said = home.run(&["status"]).refused();
    assert!(said.contains("c.native.sock"), "found in the working directory: {said}");
    std::fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    assert!(home.run(&["status"]).refused().contains("could be written by others"));
    home.file("net.yaml", "global: {secrets: {client: {use_network: true}}}\n");
    let said = home.run(&["status", "--client-config", "net.yaml"]).refused();
    assert!(said.contains("127.0.0.1:9670") && said.contains("--address"), "{said}");
}

#[test]
fn a_pid_file_is_written_held_and_removed() {
    let home = Home::new();
    let file = home.join("s.pid");
    let line = format!("[server]\npid_file = \"{}\"\n", file.display());
    let mine = production(&home, "").replacen("[server]\n", &line, 1);
    std::fs::write(&file, "4194999\n").unwrap();
    let mut site = Site::of(home, mine.clone());
    let number = site.served().pid();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{number}\n"), "a dead server's number goes");
    let other =
        mine.replace("/data\"", "/data2\"").replace("/run\"", "/run2\"").replace("local.sock", "l2.sock");
    let other = site.home.file("other.toml", other);
    let said = site.run(&["server", "-c", other.to_str().unwrap()]).refused();
    assert!(said.contains(&format!("s.pid is held by process {number}")), "{said}");
    assert!(file.exists());
    site.stop();
    assert!(!file.exists());
}
