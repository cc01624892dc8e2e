//! Syslog over UDP (RFC 5426). A datagram that the kernel has no room for is lost, and nobody is told: that is UDP. What was
//! received is treated as anything else, so while nothing can be taken, datagrams are lost in the kernel.

use super::Place;
use super::line::incoming;
use super::listen::Listening;
use super::syslog::{self, MAX_MESSAGE_BYTES};
use crate::intake::MAX_GROUP;
use crate::record::Incoming;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Receives until the end.
pub(super) async fn listen(listening: Listening, place: Place) {
    let Some(socket) = listening.datagrams() else { return };
    let mut buffer = vec![0; MAX_MESSAGE_BYTES + 1];
    let mut stop = place.stop.clone();
    let name: Arc<str> = place.name.clone();
    loop {
        let mut group = Vec::new();
        tokio::select! {
            received = socket.recv_from(&mut buffer) => take(&received, &buffer, &place, &mut group),
            () = stop.wait() => break,
        }
        gather(&socket, &mut buffer, &place, &mut group);
        if !group.is_empty() && place.intake.deliver(&name, group).await.is_err() {
            return;
        }
    }
    let mut group = Vec::new();
    gather(&socket, &mut buffer, &place, &mut group);
    if !group.is_empty() {
        // what did not go in is told by the intake
        let _ = place.intake.deliver(&name, group).await;
    }
}

/// What else has arrived.
fn gather(socket: &UdpSocket, buffer: &mut [u8], place: &Place, group: &mut Vec<Incoming>) {
    for _ in 0..MAX_GROUP {
        match socket.try_recv_from(buffer) {
            Ok(received) => take(&Ok(received), buffer, place, group),
            Err(_) => return,
        }
    }
}

fn take(
    received: &std::io::Result<(usize, std::net::SocketAddr)>,
    buffer: &[u8],
    place: &Place,
    group: &mut Vec<Incoming>,
) {
    // errors of a socket without connection are of earlier datagrams, and none were sent
    let Ok((length, peer)) = received else { return };
    let message = buffer.get(..*length).unwrap_or_default().trim_ascii_end();
    if message.is_empty() {
        return;
    }
    match syslog::record(message) {
        Ok(json) => group.push(incoming(json)),
        Err(error) => place.intake.reject(&format!("{} from {}", place.name, peer.ip()), message, &error),
    }
}
