//! How this program is called from a shell.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const NAME: &str = "strongroom";

/// What to type to run this very program: its name where a shell finds it by that, and its path, quoted, elsewhere. A
/// newcomer's build is on no search path.
pub(super) fn as_typed() -> String {
    match std::env::current_exe() {
        Ok(running) => typed(&running, std::env::var_os("PATH").as_deref()),
        Err(_) => NAME.to_owned(),
    }
}

fn typed(running: &Path, search: Option<&OsStr>) -> String {
    let same =
        |found: PathBuf| matches!((found.canonicalize(), running.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if search.and_then(found).is_some_and(same) {
        NAME.to_owned()
    } else {
        quoted(&running.to_string_lossy())
    }
}

/// What a shell would run: the first file of the name that may be executed.
fn found(search: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search).map(|folder| folder.join(NAME)).find(|file| {
        file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    })
}

/// One word of a shell's.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+,:@%".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{found, quoted, typed};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn program(folder: &Path, mode: u32) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join("strongroom");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn a_program_that_the_shell_finds_is_called_by_its_name() {
        let home = tempfile::tempdir().unwrap();
        let running = program(&home.path().join("build"), 0o755);
        let linked = home.path().join("bin");
        std::fs::create_dir(&linked).unwrap();
        symlink(&running, linked.join("strongroom")).unwrap();
        for folder in ["build", "bin"] {
            let search = home.path().join(folder);
            assert_eq!(typed(&running, Some(search.as_os_str())), "strongroom", "{folder}");
        }
    }

    #[test]
    fn a_program_that_the_shell_does_not_find_is_called_by_its_path() {
        let home = tempfile::tempdir().unwrap();
        let running = program(&home.path().join("build"), 0o755);
        let other = program(&home.path().join("other"), 0o755);
        let idle = program(&home.path().join("idle"), 0o644);
        let path = running.display().to_string();
        assert_eq!(typed(&running, None), path);
        assert_eq!(typed(&running, Some(home.path().as_os_str())), path, "there is none");
        let search = [other.parent().unwrap(), running.parent().unwrap()];
        let search = std::env::join_paths(search).unwrap();
        assert_eq!(typed(&running, Some(&search)), path, "another comes first");
        let search = std::env::join_paths([idle.parent().unwrap(), other.parent().unwrap()]).unwrap();
        assert_eq!(found(&search), Some(other), "one that cannot be run is passed over");
    }

    #[test]
    fn a_shell_reads_a_quoted_path_as_it_is() {
        assert_eq!(quoted("/opt/strongroom-1.0/strongroom"), "/opt/strongroom-1.0/strongroom");
        for path in ["/a b/strongroom", "/it's/$HOME/`x`", "/new\nline", "/\"\\*?~;&|<>()", ""] {
            let shell =
                Command::new("sh").arg("-c").arg(format!("printf %s {}", quoted(path))).output().unwrap();
            assert_eq!(String::from_utf8(shell.stdout).unwrap(), path);
        }
    }
}
