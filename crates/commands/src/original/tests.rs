//! Where files are found, and which are believed.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use strongroom_convection::client_config::ClientConfig;

#[test]
fn the_first_place_and_the_first_writing_win() {
    let home = tempfile::tempdir().unwrap();
    let folders = ["a", "b", "c"].map(|name| home.path().join(name));
    for folder in &folders[1..] {
        std::fs::create_dir(folder).unwrap();
    }
    assert_eq!(Found::first("x", &folders), None);
    std::fs::write(folders[2].join("x.json"), "{}").unwrap();
    assert_eq!(Found::first("x", &folders).unwrap().path, folders[2].join("x.json"));
    std::fs::write(folders[1].join("x.toml"), "").unwrap();
    let found = Found::first("x", &folders).unwrap();
    assert_eq!((found.path, found.writing), (folders[1].join("x.toml"), Writing::Toml));
    std::fs::create_dir(folders[1].join("x.json")).unwrap();
    assert_eq!(Found::first("x", &folders).unwrap().writing, Writing::Toml, "a folder is no file");
    std::fs::write(folders[1].join("x.yaml"), "").unwrap();
    assert_eq!(Found::first("x", &folders).unwrap().writing, Writing::Yaml);
}

#[test]
fn a_file_that_others_could_have_written_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("x.toml");
    std::fs::write(&path, "").unwrap();
    for (mode, good) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let trusted = Found::named(&path, None).unwrap().trusted();
        assert_eq!(trusted.is_ok(), good, "{mode:o}");
    }
}

#[test]
fn a_name_that_leads_elsewhere_by_now_is_not_believed_either() {
    let home = tempfile::tempdir().unwrap();
    let (path, theirs) = (home.path().join("x.toml"), home.path().join("y.toml"));
    std::fs::write(&path, "a = 1").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let trusted = Found::named(&path, None).unwrap().trusted().unwrap();
    assert!(trusted.bytes().is_ok());
    std::fs::write(&theirs, "a = 2").unwrap();
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o666)).unwrap();
    std::fs::rename(&theirs, &path).unwrap();
    assert!(matches!(trusted.bytes(), Err(OriginalError::Writable { .. })));
}

#[test]
fn a_name_without_an_ending_needs_a_word() {
    let path = Path::new("/tmp/client");
    assert!(matches!(Found::named(path, None), Err(OriginalError::Ending { .. })));
    assert_eq!(Found::named(path, Some(Writing::Yaml)).unwrap().writing, Writing::Yaml);
}

#[test]
fn a_fault_names_the_file_and_the_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("x.toml");
    std::fs::write(&path, "[global.secrets.client]\nuse_netwrok = true\nuse_network = 7\n").unwrap();
    let error = Found::named(&path, None).unwrap().read(ClientConfig::read).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    for (line, words) in
        lines.iter().zip(["line 2: global.secrets.client.use_netwrok: unknown key", "line 3: "])
    {
        assert!(line.starts_with(&path.display().to_string()) && line.contains(words), "{line}");
    }
}

#[test]
fn a_folder_is_searched_as_the_original_does_and_ours_comes_first() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    assert!(matches!(ServerFile::find(Some(folder), None), Err(OriginalError::Nowhere { .. })));
    std::fs::write(folder.join("convection-secrets.yaml"), "").unwrap();
    let ServerFile::Original(found) = ServerFile::find(Some(folder), None).unwrap() else { panic!("own") };
    assert_eq!(found.path, folder.join("convection-secrets.yaml"));
    std::fs::create_dir(folder.join("convection-secrets")).unwrap();
    let inner = folder.join("convection-secrets/convection-secrets.json");
    std::fs::write(&inner, "{}").unwrap();
    let ServerFile::Original(found) = ServerFile::find(Some(folder), None).unwrap() else { panic!("own") };
    assert_eq!(found.path, inner);
    std::fs::write(folder.join("strongroom.toml"), "").unwrap();
    assert_eq!(
        ServerFile::find(Some(folder), None).unwrap(),
        ServerFile::Own(folder.join("strongroom.toml"))
    );
}
