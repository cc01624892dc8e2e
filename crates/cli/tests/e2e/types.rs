//! Stores of every type and the lives of versions, from the command line to the disk and back.

use crate::home::Home;
use crate::served::Served;
use rustix::process::Signal;
use serde_json::Value;
use std::process::Command;

fn ready() -> (Home, Served) {
    let home = Home::new();
    let served = Served::dev(&home);
    (home, served)
}

fn json(home: &Home, arguments: &[&str]) -> Value {
    home.run(&[arguments, &["--output", "json"]].concat()).json()
}

#[test]
fn a_password_is_generated_as_the_store_is_set_and_shown_only_to_who_reads_it() {
    let (home, served) = ready();
    let set = ["--setting", "length=33", "--setting", "alphabet=hex"];
    home.run(&[["store", "create", "people", "--type", "passdb"].as_slice(), &set].concat()).ok();
    let made = json(&home, &["secret", "generate", "people", "db", "--set", "username=app"]);
    assert_eq!((&made["version"], &made["facts"]["entropy_bits"]), (&1.into(), &132.0.into()));
    assert!(made.get("value").is_none());
    let password = home.run(&["secret", "get", "people", "db", "--field", "password"]).ok();
    assert!(password.len() == 33 && password.bytes().all(|byte| byte.is_ascii_hexdigit()), "{password}");
    home.feed(&["secret", "put", "people", "hand", "--username", "é\"", "--value", "-"], "p\\w").ok();
    assert_eq!(json(&home, &["secret", "get", "people", "hand"])["value"]["password"], "p\\w");
    let wrong = home.feed(&["secret", "put", "people", "hand", "--value", "-"], "hunter2hunter2");
    let told = wrong.refused();
    assert!(told.contains("invalid_secret") && !told.contains("hunter2"), "{told}");
    assert!(
        home.run(&["store", "create", "x", "--type", "klingon"])
            .refused()
            .contains("generic, rsa, user, x509")
    );
    // what the store is set to holds over a restart
    assert_eq!(served.stop(Signal::INT).code(), Some(0));
    let _served = Served::dev(&home);
    home.run(&["secret", "generate", "people", "db"]).ok();
    assert_eq!(home.run(&["secret", "get", "people", "db", "--field", "password"]).ok().len(), 33);
    home.run(&["store", "configure", "people", "--unset", "length", "--keep", "1"]).ok();
    home.run(&["secret", "generate", "people", "db"]).ok();
    assert_eq!(home.run(&["secret", "get", "people", "db", "--field", "password"]).ok().len(), 24);
    let store = json(&home, &["store", "show", "people"]);
    assert_eq!((&store["keep_versions"], &store["versions"]), (&1.into(), &2.into()), "{store}");
}

#[test]
fn what_openssl_makes_is_taken_and_what_is_given_openssl_takes() {
    let (home, _served) = ready();
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(home.path()).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    home.run(&["store", "create", "keys", "--type", "rsa"]).ok();
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem"]);
    home.run(&["secret", "put", "keys", "a", "--bytes", "--value", "@key.pem"]).ok();
    assert_eq!(
        home.run(&["secret", "public", "keys", "a"]).ok(),
        openssl(&["pkey", "-in", "key.pem", "-pubout"])
    );
    openssl(&["genrsa", "-traditional", "-out", "weak.pem", "1024"]);
    let weak = home.run(&["secret", "put", "keys", "a", "--bytes", "--value", "@weak.pem"]).refused();
    assert!(weak.contains("1024 bits"), "{weak}");
    openssl(&["pkey", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem"]);
    let locked = home.run(&["secret", "put", "keys", "a", "--bytes", "--value", "@locked.pem"]).refused();
    assert!(locked.contains("encrypted"), "{locked}");

    // a request that a foreign authority signs, and the certificate that joins its key
    home.run(&["store", "create", "certs", "--type", "x509"]).ok();
    let wanted = ["--set", "common_name=shop.example.org", "--set", "csr=true"];
    home.run(&[["secret", "generate", "certs", "shop"].as_slice(), &wanted].concat()).ok();
    home.file("shop.csr", home.run(&["secret", "public", "certs", "shop"]).ok());
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-384",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "authority.pem",
        "-subj",
        "/CN=Authority",
        "-days",
        "30",
    ]);
    openssl(&[
        "x509",
        "-req",
        "-in",
        "shop.csr",
        "-CA",
        "authority.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "20",
        "-sha384",
        "-out",
        "shop.crt",
    ]);
    let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
    home.file("chain.pem", read("shop.crt") + &read("authority.pem"));
    home.file("wrong.pem", read("authority.pem") + &read("shop.crt"));
    let wrong = home.run(&["secret", "put", "certs", "shop", "--bytes", "--value", "@wrong.pem"]).refused();
    assert!(wrong.contains("was not issued by"), "{wrong}");
    home.run(&["secret", "put", "certs", "shop", "--bytes", "--value", "@chain.pem"]).ok();
    assert_eq!(home.run(&["secret", "public", "certs", "shop"]).ok(), read("chain.pem"));
    let key = home.run(&["secret", "get", "certs", "shop", "--field", "private_key"]).ok();
    home.file("shop.key", key);
    assert_eq!(
        openssl(&["pkey", "-in", "shop.key", "-pubout"]),
        openssl(&["x509", "-in", "shop.crt", "-pubkey", "-noout"])
    );
    home.run(&["secret", "put", "certs", "other", "--bytes", "--value", "@chain.pem"]).refused();
    let soon = json(&home, &["secret", "expiring", "--within", "21d"]);
    assert_eq!(
        (&soon["secrets"][0]["path"], &soon["secrets"][0]["expired"]),
        (&"shop".into(), &false.into())
    );
    assert_eq!(json(&home, &["secret", "expiring", "--within", "10d"])["secrets"], Value::Array(Vec::new()));
}

#[test]
fn versions_are_hidden_brought_back_compared_and_destroyed() {
    let (home, served) = ready();
    let put =
        |value: &str| home.feed(&["secret", "put", "dev", "conf", "--json", "--value", "-"], value).ok();
    put(r#"{"host":"a","password":"hunter2","port":9007199254740992}"#);
    put(r#"{"host":"a","password":"hunter3","port":9007199254740993}"#);
    let diff = home.run(&["secret", "diff", "dev", "conf", "1"]).ok();
    assert!(
        diff.contains("password")
            && diff.contains("port")
            && !diff.contains("hunter")
            && !diff.contains("host"),
        "{diff}"
    );
    assert!(home.run(&["secret", "diff", "dev", "conf", "1", "2", "--show"]).ok().contains("hunter3"));
    home.run(&["secret", "delete", "dev", "conf"]).ok();
    assert!(home.run(&["secret", "get", "dev", "conf"]).refused().contains("(deleted, request"));
    home.run(&["secret", "get", "dev", "conf", "--version", "1"]).ok();
    assert!(!home.run(&["secret", "list", "dev"]).ok().contains("conf"));
    assert!(home.run(&["secret", "list", "dev", "--deleted"]).ok().contains("conf  (deleted)"));
    served.kill();
    let _served = Served::dev(&home);
    assert!(home.run(&["secret", "get", "dev", "conf"]).refused().contains("(deleted, request"));
    home.run(&["secret", "undelete", "dev", "conf"]).ok();
    assert!(home.run(&["secret", "get", "dev", "conf"]).ok().contains("hunter3"));
    home.run(&["secret", "destroy", "dev", "conf", "--versions", "1,2"]).ok();
    assert!(home.run(&["secret", "undelete", "dev", "conf"]).refused().contains("(destroyed, request"));
    assert!(
        home.run(&["secret", "get", "dev", "conf", "--version", "1"])
            .refused()
            .contains("(destroyed, request")
    );
    let versions = json(&home, &["secret", "versions", "dev", "conf"]);
    assert_eq!(
        (&versions["versions"][0]["state"], &versions["versions"][1]["ended_by"]),
        (&"destroyed".into(), &"root".into())
    );
    assert_eq!(home.run(&["secret", "destroy", "dev", "conf"]).code, Some(2), "it wants versions by number");
    home.run(&["secret", "remove", "dev", "conf"]).ok();
    assert!(home.run(&["secret", "get", "dev", "conf"]).refused().contains("(not_found, request"));
    assert!(home.run(&["audit", "verify"]).ok().contains("yes"));
}
