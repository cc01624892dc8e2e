//! Bodies that are not what they should be, and values that must come back exactly.

use crate::shared::{Guarded, World};
use serde_json::json;

const MIB: usize = 1 << 20;

/// A store whose every malformed write must be refused without a trace in it.
fn refused_everywhere(store: &Guarded, bodies: &[(&[u8], u16, &str)]) {
    for (body, status, code) in bodies {
        let answer = store.put("new", body);
        assert_eq!(answer.status, *status, "{:?}: {}", show(body), answer.text());
        answer.is(*status, code);
    }
    store.unharmed(&[]);
}

fn show(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()
}

#[test]
fn malformed_and_truncated_json_is_refused() {
    let world = World::shared();
    let store = world.store("malformed");
    let bad: &[&[u8]] = &[
        b"",
        b"{",
        b"{\"value\":",
        b"{\"value\":1",
        b"{\"value\":1}}",
        b"{\"value\":1} x",
        b"{'value':1}",
        b"{\"value\":01}",
        b"{\"value\":+1}",
        b"{\"value\":NaN}",
        b"{\"value\":1,}",
        b"{\"value\":\"\\x\"}",
        b"{\"value\":\"a\nb\"}",
        b"{\"value\":\"\\ud800\"}",
        b"{value:1}",
        b"// x\n{\"value\":1}",
        b"\xef\xbb\xbf{\"value\":1}",
        b"{\"value\":tru}",
        b"\0",
    ];
    let bad: Vec<_> = bad.iter().map(|body| (*body, 400, "invalid_json")).collect();
    refused_everywhere(&store, &bad);
}

#[test]
fn invalid_utf_8_is_refused_wherever_it_stands() {
    let world = World::shared();
    let store = world.store("utf-8");
    refused_everywhere(
        &store,
        &[
            (b"{\"value\":\"\xff\"}", 400, "invalid_json"),
            (b"{\"val\xc0\xafue\":1}", 400, "invalid_json"),
            (b"{\"value\":{\"\xed\xa0\x80\":1}}", 400, "invalid_json"),
            (b"{\"value\":\"\xf8\x88\x80\x80\x80\"}", 400, "invalid_json"),
        ],
    );
}

#[test]
fn json_a_hundred_thousand_deep_is_refused() {
    let world = World::shared();
    let store = world.store("deep");
    let brackets = |open: &str, inner: &str, close: &str| {
        format!("{{\"value\":{}{inner}{}}}", open.repeat(100_000), close.repeat(100_000)).into_bytes()
    };
    let bad = [
        brackets("[", "", "]"),
        brackets("{\"a\":", "1", "}"),
        brackets("[", "", ""),
        "[".repeat(100_000).into_bytes(),
    ];
    let bad: Vec<_> = bad.iter().map(|body| (body.as_slice(), 400, "invalid_json")).collect();
    refused_everywhere(&store, &bad);
}

#[test]
fn a_key_that_stands_twice_is_refused_at_every_level() {
    let world = World::shared();
    let store = world.store("duplicates");
    let bad: &[&[u8]] = &[
        br#"{"value":1,"value":2}"#,
        br#"{"value":{"a":1,"a":2}}"#,
        br#"{"value":[[{"x":{"a":1,"b":2,"a":3}}]]}"#,
        br#"{"value":{"a":1,"\u0061":2}}"#,
        br#"{"value":1,"cas":0,"cas":0}"#,
    ];
    let bad: Vec<_> = bad.iter().map(|body| (*body, 400, "invalid_json")).collect();
    refused_everywhere(&store, &bad);
}

#[test]
fn unknown_fields_and_wrong_types_are_refused() {
    let world = World::shared();
    let store = world.store("types");
    let bad: &[&[u8]] = &[
        br"{}",
        br"[]",
        br"null",
        br"1",
        br#""text""#,
        br#"{"vaule":1}"#,
        br#"{"value":1,"more":2}"#,
        br#"{"value":1,"cas":"0"}"#,
        br#"{"value":1,"cas":-1}"#,
        br#"{"value":1,"cas":1.5}"#,
        br#"{"value":1,"cas":18446744073709551616}"#,
        br#"{"bytes":1}"#,
        br#"{"bytes":"not base64!"}"#,
        br#"{"bytes":"AA"}"#,
        br#"{"value":1,"bytes":"AA=="}"#,
    ];
    let bad: Vec<_> = bad.iter().map(|body| (*body, 400, "invalid_request")).collect();
    refused_everywhere(&store, &bad);
    let client = &store.client;
    for body in [r#"{"name":1}"#, r#"{"name":["a"]}"#, r#"{"name":"a","x":1}"#, r#"{"name":"a","type":{}}"#] {
        client.post("/stores", body).is(400, "invalid_request");
    }
    for body in [r#"{"name":"a","type":"nonsense"}"#, r#"{"name":"a","keyset":"none"}"#] {
        assert!(matches!(client.post("/stores", body).status, 400 | 404), "{body}");
    }
    client.post("/unlock", r#"{"unlock_key":7}"#).is(400, "invalid_request");
    client.post("/audit/verify", r#"{"against":{"format":2}}"#).is(400, "invalid_request");
    store.unharmed(&[]);
}

#[test]
fn an_error_does_not_repeat_the_value_that_it_is_about() {
    let world = World::shared();
    let store = world.store("quiet-errors");
    for body in [r#"{"bytes":{"hunter2":"hunter2"}}"#, r#"{"cas":"hunter2"}"#, r#"{"value":hunter2}"#] {
        let answer = store.put("new", body);
        assert_eq!(answer.status, 400);
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }
    store.unharmed(&[]);
}

#[test]
fn a_wrong_content_type_is_told() {
    let world = World::shared();
    let store = world.store("media-type");
    let line = format!("PUT /api/v1{}", store.path("new"));
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"]
    {
        let answer = store.client.send(&line, &[("content-type", kind)], r#"{"value":1}"#);
        answer.is(415, "unsupported_media_type");
    }
    let charset = [("content-type", "application/json; charset=utf-8")];
    store.client.send(&line, &charset, r#"{"value":1}"#).ok();
    store.unharmed(&["new"]);
}

#[test]
fn a_value_has_at_most_one_mebibyte_and_exactly_that_is_kept() {
    let world = World::shared();
    let store = world.store("size");
    let bytes: Vec<u8> = (0..MIB).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    store.put_bytes("bytes", &bytes).ok();
    let line = format!("GET /api/v1{}", store.path("bytes"));
    let octets = [("accept", "application/octet-stream")];
    assert!(store.client.send(&line, &octets, b"").body == bytes, "bytes came back changed");
    let text = format!("\"{}\"", "x".repeat(MIB - 2));
    store.put("text", format!("{{\"value\":{text}}}")).ok();
    assert!(store.get("text").text().contains(&text));
    store.put_bytes("more", &[bytes.as_slice(), b"x"].concat()).is(413, "too_large");
    store.put("more", format!("{{\"value\":\"{}\"}}", "x".repeat(MIB - 1))).is(413, "too_large");
    store.unharmed(&["bytes", "text"]);
}

#[test]
fn a_body_beyond_the_limit_is_refused_with_and_without_its_length() {
    let world = World::shared();
    let store = world.store("huge");
    store.put("more", vec![b'x'; 2 * MIB + 1]).is(413, "too_large");
    let line = format!("PUT /api/v1{}", store.path("more"));
    let token = store.client.token();
    let mut wire = store.client.connect();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    wire.ask(head.as_bytes()).is(413, "too_large");
    let mut wire = store.client.connect();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let chunk = [b"40000\r\n".as_slice(), &vec![b'x'; 0x4_0000], b"\r\n"].concat();
    wire.ask(&[head.as_bytes(), &chunk.repeat(9)].concat()).is(413, "too_large");
    store.unharmed(&[]);
}

#[test]
fn numbers_come_back_to_the_digit_through_api_and_command_line() {
    let world = World::shared();
    let store = world.store("exact");
    let values = [
        "9007199254740993",
        "1180591620717411303424",
        "-1180591620717411303425",
        "1e400",
        "-0",
        "1.0",
        "1.10",
        "0.1e-400",
        "[9007199254740993, 1E+2,\t1.000]",
        "{\"b\":1,\"a\":  2}",
        "\"\\u00e4\\/\\ud83d\\ude00\"",
        "null",
        "true",
        "\"\"",
        "[]",
    ];
    for (number, value) in values.iter().enumerate() {
        let (by_api, by_hand) = (format!("api/{number}"), format!("hand/{number}"));
        store.put(&by_api, format!("{{\"value\":{value}}}")).ok();
        world.home.feed(&["secret", "put", "exact", &by_hand, "--json", "--value", "-"], value).ok();
        for path in [&by_api, &by_hand] {
            let text = store.get(path).text();
            assert!(text.starts_with(&format!("{{\"value\":{value},\"version\":1,")), "{text}");
            let raw = world.home.run(&["secret", "get", "exact", path, "--raw"]).ok();
            assert_eq!(raw.trim_end_matches('\n'), *value);
        }
    }
    assert_eq!(store.get("keep").ok()["value"], json!("kept"));
}

#[test]
fn bytes_come_back_to_the_byte_through_api_and_command_line() {
    let world = World::shared();
    let store = world.store("binary");
    let all: Vec<u8> = (0..=255).collect();
    let bytes = [all.as_slice(), b"\r\n\n", &all, b"\n"].concat();
    let file = world.home.file("binary", &bytes);
    let source = format!("@{}", file.display());
    world.home.run(&["secret", "put", "binary", "by-hand", "--bytes", "--value", &source]).ok();
    store.put_bytes("by-api", &bytes).ok();
    let base64 = data_encoding::BASE64.encode(&bytes);
    store.put("by-json", json!({ "bytes": base64 }).to_string()).ok();
    for path in ["by-hand", "by-api", "by-json"] {
        assert_eq!(store.get(path).ok()["bytes"], json!(base64));
        let mut get = world.home.command(&["secret", "get", "binary", path, "--raw"]);
        assert_eq!(get.output().unwrap().stdout, bytes, "{path}");
    }
    store.put_bytes("empty", b"").ok();
    assert_eq!(store.get("empty").ok()["bytes"], json!(""));
    store.unharmed(&["by-hand", "by-api", "by-json", "empty"]);
}

#[test]
fn a_client_of_http_2_hears_that_its_body_is_too_large() {
    let world = World::shared();
    let store = world.store("huge-2");
    let file = world.home.file("huge-2", vec![b'x'; 5 * MIB]);
    let mut curl = std::process::Command::new("curl");
    curl.args([
        "--silent",
        "--http2",
        "--request",
        "PUT",
        "--write-out",
        "\n%{http_version} %{http_code}",
        "--cacert",
    ]);
    curl.arg(&world.served.authority).arg("--data-binary").arg(format!("@{}", file.display()));
    curl.args(["--header", "content-type: application/octet-stream", "--header"]);
    curl.arg(format!("authorization: Bearer {}", store.client.token()));
    let url = format!("{}/api/v1{}", world.served.address, store.path("more"));
    let Ok(done) = curl.arg(url).output() else {
        println!("SKIPPED: curl is missing: a large body over HTTP/2 is untested");
        return;
    };
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.ends_with("\n2 413") && said.contains("\"code\":\"too_large\""), "{said}");
    store.unharmed(&[]);
}

#[test]
fn a_stranger_is_given_no_room_for_a_large_body() {
    let world = World::shared();
    let store = world.store("strangers");
    let large = vec![b'x'; MIB];
    // who has no token is answered before the body is looked at
    let mut wire = store.client.connect();
    let put = format!(
        "PUT /api/v1{} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {MIB}\r\n\r\n",
        store.path("more")
    );
    wire.ask(&[put.as_bytes(), &large].concat()).is(401, "unauthenticated");
    // and what anyone may ask is short
    let mut wire = store.client.connect();
    let unlock = format!("POST /api/v1/unlock HTTP/1.1\r\nhost: localhost\r\ncontent-length: {MIB}\r\n\r\n");
    wire.ask(&[unlock.as_bytes(), &large].concat()).is(413, "too_large");
    store.unharmed(&[]);
}
