use super::*;
use hyper::service::service_fn;
use std::sync::{Arc, Mutex};
use strongroom_api::{Code, Endpoint, Problem};
use tokio::net::UnixListener;

/// What the server does with a request.
enum Does {
    Answer(u16, String),
    HangUp,
    Stall,
}

/// What the server saw: method and target, request id, authorization.
type Seen = Arc<Mutex<Vec<(String, String, Option<String>)>>>;

struct Server {
    _home: tempfile::TempDir,
    address: Address,
    seen: Seen,
}

impl Server {
    /// A server that does one thing after another, each on a connection of its own.
    fn script(steps: Vec<Does>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let seen = Seen::default();
        tokio::spawn(serve(listener, steps, Arc::clone(&seen)));
        Self { _home: home, address: Address::Unix(path), seen }
    }

    fn client(&self) -> Client {
        let target = Target {
            address: self.address.clone(),
            socket: None,
            cacert: None,
            context: None,
            access_key_id: None,
            key_file: None,
        };
        let patience = Patience {
            connect: Duration::from_secs(5),
            answer: Duration::from_millis(300),
            repeat: Duration::from_millis(1),
        };
        let token = SecretBytes::new(b"sr.t1.x".to_vec());
        Client::new(&self.address, &target, Some(token), Ambient::system()).unwrap().patient(patience)
    }

    fn seen(&self) -> Vec<(String, String, Option<String>)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(listener: UnixListener, steps: Vec<Does>, seen: Seen) {
    for step in steps {
        let (stream, _) = listener.accept().await.unwrap();
        let step = Arc::new(step);
        let service = service_fn(|request: Request<Incoming>| {
            let (seen, step) = (Arc::clone(&seen), Arc::clone(&step));
            async move {
                let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
                let line = format!("{} {}", request.method(), request.uri());
                let id = header(REQUEST_ID_HEADER).unwrap();
                seen.lock().unwrap().push((line, id, header("authorization")));
                match &*step {
                    Does::Answer(status, body) => {
                        let body = Full::new(Bytes::from(body.clone()));
                        Ok(Response::builder().status(*status).body(body).unwrap())
                    }
                    Does::HangUp => Err(std::io::Error::other("hang up")),
                    Does::Stall => std::future::pending().await,
                }
            }
        });
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        if matches!(*step, Does::Stall) {
            let _ = tokio::time::timeout(Duration::from_secs(5), connection).await;
        } else {
            let _: Result<(), hyper::Error> = connection.await;
        }
    }
}

fn problem(code: Code) -> Does {
    let text = serde_json::to_string(&Problem::new(code, Some("why".to_owned()))).unwrap();
    Does::Answer(code.status(), text)
}

fn ok(body: &str) -> Does {
    Does::Answer(200, body.to_owned())
}

fn put() -> Ask {
    Ask::of(Endpoint::PutSecret).name("store", "s").name("path", "a").json(&serde_json::json!({"value": 1}))
}

#[tokio::test]
async fn a_lost_write_is_asked_again_under_the_same_id() {
    let server = Server::script(vec![Does::HangUp, problem(Code::Unknown), ok("{}")]);
    server.client().ask(put()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| one.1 == seen[0].1 && one.0 == "PUT /api/v1/stores/s/secrets/a"));
    assert_eq!(seen[0].1.as_bytes()[14], b'7', "a UUID of version 7: {}", seen[0].1);
}

#[tokio::test]
async fn a_write_is_given_up_after_three_repeats() {
    let server = Server::script((0..5).map(|_| Does::HangUp).collect());
    let error = server.client().ask(put()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown { attempts: 4, .. }), "{error}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_restarted_server_does_not_settle_a_doubt() {
    let steps = vec![Does::HangUp, problem(Code::Locked), problem(Code::Locked), problem(Code::Locked)];
    let server = Server::script(steps);
    let error = server.client().ask(put()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown { attempts: 4, .. }), "{error}");
    assert_eq!(error.hint(), Some("strongroom unlock"));
}

#[tokio::test]
async fn an_answer_about_the_write_settles_a_doubt() {
    let server = Server::script(vec![Does::HangUp, problem(Code::VersionMismatch)]);
    let error = server.client().ask(put()).await.unwrap_err();
    assert_eq!(error.code(), Some("version_mismatch"));
}

#[tokio::test]
async fn a_refused_write_is_not_repeated() {
    let server = Server::script(vec![problem(Code::Locked), ok("{}")]);
    let error = server.client().ask(put()).await.unwrap_err();
    assert_eq!(error.code(), Some("locked"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_lost_read_is_not_repeated() {
    let server = Server::script(vec![Does::HangUp, ok("{}")]);
    let ask = Ask::of(Endpoint::ListStores);
    assert!(matches!(server.client().ask(ask).await, Err(ClientError::Lost { .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_bears_keys_is_not_repeated() {
    let server = Server::script(vec![Does::HangUp, ok("{}")]);
    let error = server.client().ask(Ask::of(Endpoint::RotateRoot)).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown { attempts: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_stalled_write_is_of_unknown_outcome() {
    let server = Server::script(vec![Does::Stall]);
    let error = server.client().ask(put()).await.unwrap_err();
    assert!(error.to_string().starts_with("it is not known whether"), "{error}");
}

#[tokio::test]
async fn the_token_goes_only_where_one_is_needed() {
    let server = Server::script(vec![ok("{}"), ok("{}")]);
    let client = server.client();
    client.ask(Ask::of(Endpoint::Status)).await.unwrap();
    client.ask(Ask::of(Endpoint::ListStores)).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].2, None);
    assert_eq!(seen[1].2.as_deref(), Some("Bearer sr.t1.x"));
}

#[tokio::test]
async fn problems_are_told_with_code_and_request() {
    let server = Server::script(vec![problem(Code::NotFound)]);
    let error = server.client().ask(Ask::of(Endpoint::ListStores)).await.unwrap_err().to_string();
    let id = &server.seen()[0].1;
    assert_eq!(
        error,
        format!("There is no such thing, or you may not see it: why (not_found, request {id})")
    );
}

#[tokio::test]
async fn a_foreign_server_is_named_as_such() {
    let server = Server::script(vec![Does::Answer(404, "<html>".to_owned())]);
    let error = server.client().ask(Ask::of(Endpoint::ListStores)).await.unwrap_err();
    assert!(matches!(error, ClientError::NotOurs { status: 404, .. }));
}

#[tokio::test]
async fn codes_of_a_newer_server_are_shown_as_they_are() {
    let body = r#"{"type":"x","title":"New","status":418,"code":"brand_new"}"#;
    let server = Server::script(vec![Does::Answer(418, body.to_owned())]);
    let error = server.client().ask(Ask::of(Endpoint::ListStores)).await.unwrap_err();
    assert_eq!(error.code(), Some("brand_new"));
}

#[tokio::test]
async fn a_stream_is_passed_on_as_it_comes() {
    let server = Server::script(vec![ok("{\"a\":1}\n{\"b\":2}\n")]);
    let mut got = Vec::new();
    let ask = Ask::of(Endpoint::ExportTrail);
    server
        .client()
        .stream(ask, |piece| {
            got.extend_from_slice(piece);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(got, b"{\"a\":1}\n{\"b\":2}\n");
}

#[tokio::test]
async fn an_answer_too_large_is_not_read() {
    let server = Server::script(vec![Does::Answer(200, "x".repeat(MAX_ANSWER_BYTES + 1))]);
    let error = server.client().ask(Ask::of(Endpoint::ListStores)).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge { .. }), "{error}");
}
