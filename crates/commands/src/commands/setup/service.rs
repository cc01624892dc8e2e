//! The unit of systemd's.

use super::SetupError;
use super::files::{self, put};
use super::machine;
use super::plan::{Site, Standing, Step};
use super::texts;
use crate::error::CliError;
use std::path::{Path, PathBuf};

/// The unit's name.
pub(super) const UNIT: &str = "convection-secrets.service";
/// What does not follow from answers.
const TEMPLATE: &str = include_str!("unit.txt");

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    if !site.answers.yes("install_service") {
        return Vec::new();
    }
    vec![Box::new(Unit), Box::new(Enabled)]
}

fn unit(site: &Site) -> PathBuf {
    site.path("service_dir").join(UNIT)
}

/// Whether the machine's own systemd reads the unit.
pub(super) fn is_managed(site: &Site) -> bool {
    let read = ["/etc/systemd", "/usr/lib/systemd", "/lib/systemd", "/run/systemd"];
    machine::has_systemd() && read.iter().any(|folder| site.path("service_dir").starts_with(folder))
}

/// A word of a unit's: quoted, and what systemd would expand, doubled.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('%', "%%").replace('$', "$$"))
}

/// A folder's path where systemd takes no quotes.
fn bare(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

fn text(site: &Site, program: &Path) -> String {
    let around = |key: &str| site.path(key).parent().map(Path::to_path_buf);
    let mut writes = vec![site.path("secrets_dir"), site.path("pid_dir")];
    writes.extend(["socket_path", "server_log_file"].iter().filter_map(|key| around(key)));
    writes.sort();
    writes.dedup();
    let writes: Vec<String> = writes.iter().map(|path| word(path)).collect();
    // a folder below /run is gone after each start of the machine
    let volatile =
        ["/run", "/var/run"].iter().find_map(|run| site.path("pid_dir").strip_prefix(run).ok().map(bare));
    let runtime = volatile.filter(|name| !name.is_empty()).map_or_else(String::new, |name| {
        format!("RuntimeDirectory={name}\nRuntimeDirectoryMode=0755\nRuntimeDirectoryPreserve=yes\n")
    });
    let low = texts::listens_on(site).iter().any(|address| address.port() < 1_024);
    let capabilities = if low { "CAP_NET_BIND_SERVICE" } else { "" };
    let homes = writes.iter().any(|path| path.starts_with("\"/home") || path.starts_with("\"/root"));
    TEMPLATE
        .replace("{program}", &bare(program).replace('$', "$$"))
        .replace("{config}", &word(&site.path("server_config_root")))
        .replace("{pid_file}", &bare(&texts::pid_file(site)))
        .replace("{user}", site.user())
        .replace("{group}", site.group())
        .replace("{runtime}", &runtime)
        .replace("{writes}", &writes.join(" "))
        .replace("{homes}", if homes { "read-only" } else { "yes" })
        .replace("{capabilities}", capabilities)
}

fn program() -> Result<PathBuf, SetupError> {
    std::env::current_exe().map_err(SetupError::io("find", Path::new("/proc/self/exe")))
}

/// The file.
struct Unit;

impl Step for Unit {
    fn title(&self, site: &Site) -> String {
        format!("service {}", unit(site).display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let path = unit(site);
        match files::read(&path)? {
            Some(found) if found == text(site, &program()?).as_bytes() => Ok(Standing::Done),
            Some(_) => Err(SetupError::Differs { path, key: "service_dir" }),
            None => {
                Ok(Standing::due(format!("write the service {}", path.display()), !machine::may_make(&path)))
            }
        }
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        Ok(put(&unit(site), text(site, &program()?).as_bytes(), 0o644, None)?)
    }
}

/// That it is started with the machine; where systemd does not run, or does not look, there is nothing to do.
struct Enabled;

impl Step for Enabled {
    fn title(&self, site: &Site) -> String {
        if is_managed(site) {
            format!("service {UNIT} is started with the machine")
        } else {
            "no systemd that reads it: the service is not enabled".to_owned()
        }
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        if !is_managed(site) || machine::run("systemctl", &["--quiet", "is-enabled", UNIT]).is_ok() {
            return Ok(Standing::Done);
        }
        Ok(Standing::due(format!("enable {UNIT}"), true))
    }

    fn apply(&self, _: &Site) -> Result<(), CliError> {
        machine::run("systemctl", &["daemon-reload"])?;
        Ok(machine::run("systemctl", &["--quiet", "enable", UNIT])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_systemd() {
        assert_eq!(word(Path::new("/a b/%h\"$x\\")), "\"/a b/%%h\\\"$$x\\\\\"");
        assert_eq!(bare(Path::new("/a%b")), "/a%%b");
    }

    #[test]
    fn the_template_has_no_blank_that_nobody_fills() {
        let blanks: Vec<&str> =
            TEMPLATE.match_indices('{').filter_map(|(at, _)| TEMPLATE[at + 1..].split('}').next()).collect();
        for blank in &blanks {
            let known = [
                "program",
                "config",
                "pid_file",
                "user",
                "group",
                "runtime",
                "writes",
                "homes",
                "capabilities",
            ];
            assert!(known.contains(blank), "{blank}");
        }
        assert!(blanks.len() >= 9);
    }
}
