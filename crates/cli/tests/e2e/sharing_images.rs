//! The sharing system's images: built by their scripts with a real Docker, and what is in them; a KMS in a container that is
//! removed, replaced, exported, and has its data still.

use crate::docker::{Docker, MODULES, Modules, said};
use std::process::Command;

/// The files of all layers of an image.
fn files(docker: &Docker, image: &str) -> Vec<String> {
    let (archive, folder) = (docker.join("image.tar"), docker.join("image"));
    let saved = docker.run(&["save", "-o", archive.to_str().unwrap(), image]);
    assert!(saved.status.success(), "{}", said(&saved));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    assert!(Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(&folder).status().unwrap().success());
    let list =
        "find . -type f -size +0 | while read -r f; do tar tf \"$f\" 2>/dev/null || true; done | sort -u";
    let listed = Command::new("sh").args(["-c", list]).current_dir(&folder).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn images_hold_one_program_and_nothing_of_anybodys() {
    let Some(modules) = Modules::new() else { return };
    // what must not get in lies there already
    for (module, _) in MODULES {
        let folder = modules.folder(module);
        for name in ["secrets", "db"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("marked-secret"), "secret").unwrap();
        }
        std::fs::write(folder.join("config.yaml"), "marked: configuration\n").unwrap();
    }
    modules.good("libs", "build.sh", &[]);
    for (module, image) in MODULES {
        let script = format!("{module}.sh");
        assert!(modules.good(module, &script, &["--help"]).contains("--build-only"));
        modules.good(module, &script, &["--build", "--build-only"]);
        let shell = modules.run(module, &script, &["--shell"]);
        assert!(!shell.status.success() && said(&shell).contains("there is no shell"), "{}", said(&shell));
        let files = files(&modules.docker, image);
        assert!(files.iter().any(|file| file == "strongroom"), "{files:?}");
        let foreign = |file: &&String| {
            let known = ["strongroom", "lib", "etc/ssl/certs/", "etc/nsswitch.conf", "tmp/"];
            !file.ends_with('/') && !known.iter().any(|known| file.starts_with(known))
        };
        let foreign: Vec<&String> =
            files.iter().filter(foreign).filter(|file| !file.ends_with("json")).collect();
        assert!(foreign.iter().all(|file| file.as_str() == "VERSION"), "{image}: {foreign:?}");
        let version = modules.docker.run(&[
            "run",
            "--rm",
            "--network",
            "none",
            "--entrypoint",
            "/strongroom",
            image,
            "--version",
        ]);
        assert!(said(&version).contains("strongroom "), "{}", said(&version));
    }
    let refused = modules.run("collector", "collector.sh", &["--bind", "localhost:6000", "config.yaml"]);
    assert!(said(&refused).contains("use 127.0.0.1"), "{}", said(&refused));
}

#[test]
fn a_container_that_is_removed_or_replaced_leaves_its_data() {
    let Some(modules) = Modules::new() else { return };
    let curl = |words: &[&str]| modules.docker.curl(words);
    modules.configure("kms");
    modules.good("libs", "build.sh", &[]);
    modules.good("kms", "kms.sh", &["--build"]);
    let url = "http://127.0.0.1:5002/";
    modules.docker.wait_for(url);
    let unlock = modules.folder("kms").join("secrets/unlock-keys.txt");
    let (keys, manifest) = (std::fs::read(&unlock).unwrap(), format!("{url}get/manifest"));
    let kid = || curl(&[&manifest]).split("\"kid\":\"").nth(1)?.split('"').next().map(str::to_owned);
    let before = kid();
    assert!(before.is_some(), "{}", curl(&[&manifest]));
    // removed and made again
    modules.good("kms", "kms.sh", &["--down"]);
    assert!(curl(&[url]).is_empty());
    modules.good("kms", "kms.sh", &[]);
    modules.docker.wait_for(url);
    assert_eq!((std::fs::read(&unlock).unwrap(), kid()), (keys.clone(), before.clone()));
    // exported, imported, and a newer image in its place
    let archive = modules.home.join("images.tar");
    let archive = archive.to_str().unwrap();
    let images = ["cybexp-priv-libs", "cybexp-kms-priv"];
    assert!(modules.docker.run(&[&["save", "-o", archive][..], &images].concat()).status.success());
    modules.good("kms", "kms.sh", &["--down"]);
    assert!(modules.docker.run(&[&["rmi"][..], &images].concat()).status.success());
    let missing = modules.run("kms", "kms.sh", &[]);
    assert!(!missing.status.success() && said(&missing).contains("there is no image"), "{}", said(&missing));
    assert!(modules.docker.run(&["load", "-i", archive]).status.success());
    modules.good("kms", "kms.sh", &[]);
    modules.docker.wait_for(url);
    modules.good("libs", "build.sh", &[]);
    modules.good("kms", "kms.sh", &["--build"]);
    modules.docker.wait_for(url);
    assert_eq!((std::fs::read(&unlock).unwrap(), kid()), (keys, before));
    modules.good("kms", "kms.sh", &["--down"]);
}
