//! Answers that are none: each becomes an error that says what, and nothing hangs.

use super::*;
use crate::fake::{Http, Request, Response as Fake};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn server(answer: impl Fn(&Request) -> Fake + Send + Sync + 'static) -> Server {
    patient(Duration::from_secs(5), answer)
}

fn patient(answer_within: Duration, answer: impl Fn(&Request) -> Fake + Send + Sync + 'static) -> Server {
    let http = Http::start(answer).unwrap();
    let basic = BasicAuth { user: "johndoe".to_owned(), pass: SecretBytes::new(b"pa:ss".to_vec()) };
    let patience = Patience { connect: Duration::from_secs(5), answer: answer_within };
    Server::new(&http.url().parse().unwrap(), &Tls::default(), Some(&basic), patience).unwrap()
}

fn body(text: &str) -> Fake {
    Fake { status: 200, headers: Vec::new(), body: text.as_bytes().to_vec(), cut: None }
}

async fn asked(server: &Server) -> Result<serde_json::Value, HttpError> {
    let token = SecretBytes::new(b"abc\n".to_vec());
    server.ask(Ask::post("/x", &serde_json::json!({"a": 1})).with(&token)).await
}

#[tokio::test]
async fn token_and_password_go_in_their_own_headers() {
    let server = server(|request| {
        assert_eq!(request.line, "POST /x");
        assert_eq!(request.headers["authorization"], "Basic am9obmRvZTpwYTpzcw==");
        assert_eq!(request.headers["x-authorization"], "Bearer abc");
        assert_eq!(request.body, b"{\"a\":1}");
        body("{}")
    });
    asked(&server).await.unwrap();
}

#[tokio::test]
async fn each_failure_is_told_apart() {
    let large = Fake { status: 200, headers: Vec::new(), body: vec![b' '; 100], cut: None };
    for (answer, wanted) in [
        (Fake::of_proxy(401), "check basic_auth"),
        (Fake::refused(401, "unauthenticated"), "as the test wants it (unauthenticated)"),
        (Fake::of_proxy(500), "status 500"),
        (body("{\"a\":"), "is not what was expected"),
        (Fake { cut: Some(3), ..body("{\"a\": 1}") }, "the connection was lost"),
        (body("up"), "not what was expected"),
    ] {
        let error = asked(&server(move |_| answer.clone())).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error} / {wanted}");
    }
    let small = server(move |_| large.clone());
    let error = small.bytes(Ask::get("/"), 99).await.unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { most: 99, .. }), "{error}");
}

#[tokio::test]
async fn silence_ends() {
    let server = patient(Duration::from_millis(50), |_| {
        std::thread::park_timeout(Duration::from_secs(2));
        body("{}")
    });
    assert!(matches!(asked(&server).await, Err(HttpError::NoAnswer { .. })));
}

#[tokio::test]
async fn nobody_there_may_pass() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{closed}").parse().unwrap();
    let server = Server::new(&url, &Tls::default(), None, Patience::default()).unwrap();
    let error = asked(&server).await.unwrap_err();
    assert!(matches!(error, HttpError::NoServer { .. }) && error.may_pass());
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_no_failure_for_what_may_be_asked_twice() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    let server = server(move |_| {
        // the whole answer, and then the connection is closed
        let cut = (own.fetch_add(1, Ordering::SeqCst) == 0).then_some(2);
        Fake { cut, ..body("{}") }
    });
    for _ in 0..3 {
        let _: serde_json::Value = server.ask(Ask::get("/x")).await.unwrap();
    }
    assert!(count.load(Ordering::SeqCst) >= 3);
}

#[tokio::test]
async fn lines_come_one_by_one_and_a_cut_is_told() {
    let whole = server(|_| body("{\"a\":1}\n\nlast"));
    let mut lines = whole.lines(Ask::get("/x")).await.unwrap();
    let mut all = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        all.push(String::from_utf8(line).unwrap());
    }
    assert_eq!(all, ["{\"a\":1}", "", "last"]);
    let cut = server(|_| Fake { cut: Some(10), ..body("{\"a\":1}\n{\"b\":2}\n") });
    let mut lines = cut.lines(Ask::get("/x")).await.unwrap();
    assert!(lines.next().await.unwrap().is_some());
    assert!(matches!(lines.next().await, Err(HttpError::Lost { .. })));
    let refused = server(|_| Fake::refused(403, "refused"));
    assert!(matches!(refused.lines(Ask::get("/x")).await, Err(HttpError::Refused { status: 403, .. })));
}
