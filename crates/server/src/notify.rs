//! Tells the service manager how it goes: `sd_notify(3)`, the protocol of `Type=notify` and `Type=notify-reload`.
//!
//! Without `NOTIFY_SOCKET` in the environment every call is without effect.

use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable that names the manager's socket.
pub const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";

/// The service manager, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    socket: Option<OsString>,
}

impl Notifier {
    /// The manager that the environment names.
    pub fn from_env() -> Self {
        Self { socket: std::env::var_os(SOCKET_VARIABLE).filter(|socket| !socket.is_empty()) }
    }

    /// A manager at a path, or at an abstract name that begins with `@`.
    pub fn at(socket: impl Into<OsString>) -> Self {
        Self { socket: Some(socket.into()) }
    }

    /// Requests are served, at start and after a reload.
    pub fn ready(&self, status: &str) {
        self.send(&format!("READY=1\n{}", status_line(status)));
    }

    /// A reload has begun; [`Notifier::ready`] ends it.
    pub fn reloading(&self) {
        // the manager compares this with its own reading of the same clock
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\n"));
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.send("STOPPING=1\n");
    }

    /// One line for people: locked, unlocked, what is wrong.
    pub fn status(&self, status: &str) {
        self.send(&status_line(status));
    }

    fn send(&self, message: &str) {
        if let Err(error) = self.try_send(message) {
            tracing::warn!(%error, "cannot tell the service manager");
        }
    }

    fn try_send(&self, message: &str) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let address = match socket.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(socket)?,
        };
        UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
    }
}

/// A line of its own, whatever the text: a line break would begin another assignment.
fn status_line(status: &str) -> String {
    format!("STATUS={}\n", status.replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn the_manager_hears_readiness_reload_and_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::at(path);
        notifier.ready("serving\nEVIL=1");
        assert_eq!(received(&manager), "READY=1\nSTATUS=serving EVIL=1\n");
        notifier.reloading();
        let text = received(&manager);
        let micros = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().trim();
        assert!(micros.parse::<u64>().unwrap() > 0);
        notifier.stopping();
        assert_eq!(received(&manager), "STOPPING=1\n");
    }

    #[test]
    fn an_abstract_socket_works_too() {
        let name = format!("strongroom-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notifier::at(format!("@{name}")).status("locked");
        assert_eq!(received(&manager), "STATUS=locked\n");
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        assert!(Notifier::default().try_send("READY=1\n").is_ok());
        assert!(Notifier::at("/nonexistent/notify").try_send("READY=1\n").is_err());
    }
}
