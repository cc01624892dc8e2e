use super::super::tests::{World, any, started};
use super::*;
use crate::settings::InputKind;

async fn ask(world: &World, head: &str, body: &[u8]) -> (u16, String) {
    let head =
        format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let said = String::from_utf8(world.send(&[head.as_bytes(), body].concat()).await).unwrap();
    let status = said.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, said.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn objects_arrays_lines_and_bundles_are_taken() {
    let world = started(InputKind::Http(any()));
    for (path, body, count) in [
        ("/", "{\"a\":1}", 1),
        ("/records", "{\n\"a\":2\n}", 1),
        ("/", "[{\"a\":3}, {\"a\":4}]", 2),
        ("/", "{\"a\":5}\n{\"a\":6}\r\n\n{\"a\":7}", 3),
        ("/stix", "{\"type\":\"bundle\",\"objects\":[{\"type\":\"tool\"}]}", 1),
        ("/misp", "{\"Event\":{\"Attribute\":[{\"value\":\"x\"}]}}", 1),
    ] {
        let (status, said) = ask(&world, &format!("POST {path}"), body.as_bytes()).await;
        assert_eq!((status, said.contains(&format!("\"accepted\":{count},"))), (202, true), "{body} {said}");
    }
    assert_eq!(world.stopped().await.texts().len(), 9);
}

#[tokio::test]
async fn what_is_refused_is_told_with_its_line() {
    let world = started(InputKind::Http(any()));
    let (status, said) = ask(&world, "POST /", b"{\"a\":1}\n7\n{\"a\":2}\n{\"a\":").await;
    assert_eq!(status, 400);
    assert!(
        said.contains("\"accepted\":2") && said.contains("\"line\":2") && said.contains("\"line\":4"),
        "{said}"
    );
    assert!(said.contains("a record is a JSON object"), "{said}");
    for body in ["", "   ", "[]", "{\"a\":", "[1", "x"] {
        let (status, said) = ask(&world, "POST /", body.as_bytes()).await;
        assert_eq!(status, 400, "{body} {said}");
    }
    assert_eq!(ask(&world, "POST /stix", b"{}").await.0, 400);
    // whoever was told is not told again by the file of rejected records
    assert!(world.stopped().await.reasons().is_empty());
}

#[tokio::test]
async fn a_full_spool_a_page_and_a_huge_body_are_refused() {
    let world = started(InputKind::Http(any()));
    world.sink.failures.lock().unwrap().push_back(SinkError::Full);
    assert_eq!(ask(&world, "POST /", b"{\"a\":1}").await.0, 503);
    let page = b"POST / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
    assert!(world.send(page).await.starts_with(b"HTTP/1.1 403"));
    let huge = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n{";
    assert!(world.send(huge).await.starts_with(b"HTTP/1.1 413"));
    let cut = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{";
    assert!(!world.send(cut).await.starts_with(b"HTTP/1.1 2"));
    assert_eq!(ask(&world, "GET /", b"").await, (200, "up\n".to_owned()));
    assert_eq!(ask(&world, "DELETE /", b"").await.0, 405);
    assert_eq!(ask(&world, "GET /secrets", b"").await.0, 404);
    assert!(world.stopped().await.texts().is_empty());
}
