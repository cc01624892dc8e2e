//! Every row of the endpoint table through the native door: an operation leaves exactly one entry, whatever becomes of
//! it, and what is no operation leaves none. New rows are covered as they come; one that needs more than its path to
//! succeed has its example in [`example`].

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_api::{Access, Endpoint, Method, PREFIX};
use strongroom_attributes::Attributes;
use strongroom_door_native::{NativeDoor, Parts};
use strongroom_gate::{Space, Verdict};
use strongroom_model::Origin;
use strongroom_store::{Fault, MemoryStore, SharedStore};
use strongroom_testkit::{Line, TestWorld, WorldOptions};
use tower::ServiceExt as _;

/// A world behind its door.
struct House {
    world: TestWorld,
    door: NativeDoor,
}

struct Answer {
    status: StatusCode,
    named: Option<String>,
    body: Value,
}

impl House {
    async fn new() -> Self {
        let world = TestWorld::unlocked().await;
        world.create_store("web").await.unwrap();
        world.put("web", "a", "1").await.unwrap();
        Self { door: door(&world, String::new), world }
    }

    async fn ask(&self, request: http::request::Builder, body: Body) -> Answer {
        let mut request = request.body(body).unwrap();
        request.extensions_mut().get_or_insert_with(|| origin("198.51.100.7"));
        read(self.door.clone().oneshot(request).await.unwrap()).await
    }

    /// Root asks; `example` fills in what the row needs.
    async fn as_root(&self, endpoint: Endpoint, store: &str) -> Answer {
        let token = self.world.token().unwrap();
        let (query, body) = example(endpoint, &self.world);
        let uri = format!("{PREFIX}{}{query}", path(endpoint, store));
        let request = Request::builder().method(endpoint.method().as_str()).uri(uri);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.ask(request.header("content-type", "application/json"), body).await
    }

    /// The entries that something leaves, those beside it excepted.
    async fn left<T>(&self, work: impl Future<Output = T>) -> (T, Vec<Line>) {
        self.world.root_caller().await.unwrap();
        let from = self.world.head() + 1;
        let done = work.await;
        (done, self.lines(from).await)
    }

    /// Entries from a number on, read by a user who must perhaps log in again.
    async fn lines(&self, from: u64) -> Vec<Line> {
        let to = self.world.head();
        if !self.world.gate.is_unlocked() {
            self.world.unlock().await.unwrap();
        }
        let lines = self.world.trail(from).await.unwrap();
        // the server's own chores, such as the checkpoint before a lock, are operations of their own
        lines.into_iter().filter(|line| line.seq <= to && line.origin != "server").collect()
    }
}

fn door(world: &TestWorld, render: impl Fn() -> String + Send + Sync + 'static) -> NativeDoor {
    NativeDoor::new(door_parts(world, render))
}

fn origin(address: &str) -> Origin {
    Origin::network(address.parse().unwrap())
}

/// Passwords of members are cheap.
fn cheap() -> strongroom_attributes::Settings {
    let password_cost = strongroom_identity::PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
    strongroom_attributes::Settings { password_cost, ..strongroom_attributes::Settings::default() }
}

fn door_parts(world: &TestWorld, render: impl Fn() -> String + Send + Sync + 'static) -> Parts {
    Parts {
        is_paced: Box::new(|_| true),
        gate: Arc::clone(&world.gate),
        operator: Arc::clone(&world.operator),
        identity: Arc::clone(&world.identity),
        attributes: Arc::new(Attributes::new(Arc::clone(&world.gate), cheap())),
        is_install_token: Box::new(|_| false),
        render_metrics: Box::new(render),
        version: "test",
    }
}

async fn read(answer: Response<Body>) -> Answer {
    let status = answer.status();
    let named = answer.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    Answer { status, named, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

fn path(endpoint: Endpoint, store: &str) -> String {
    let path = endpoint.path().replace("{store}", store).replace("{*path}", "a");
    // ids and names of other things: there is none of them
    let absent = "00000000-0000-7000-8000-000000000001";
    let path = path.replace("{index}", "9");
    let parts = path.split('/').map(|part| if part.starts_with('{') { absent } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Query and body with which a row can succeed; for others an empty object, which is at least JSON.
fn example(endpoint: Endpoint, world: &TestWorld) -> (&'static str, Body) {
    let keys = || json!({ "unlock_keys": world.keys });
    let body = match endpoint {
        Endpoint::CreateStore => json!({ "name": "new", "type": "generic" }),
        Endpoint::PutSecret => json!({ "value": 2 }),
        Endpoint::Challenge => json!({ "access_key_id": world.access_key.unwrap().to_string() }),
        Endpoint::RotateRoot | Endpoint::ConfirmRotateRoot | Endpoint::AddAutoUnlock => keys(),
        Endpoint::Unlock => json!({ "unlock_key": world.keys[0] }),
        Endpoint::AddSharingAdmin => json!({ "name": "boss", "password": "correct horse battery" }),
        Endpoint::ConfirmInit => json!({ "set_id": world.set_id }),
        _ if endpoint.method() == Method::Get => return ("", Body::empty()),
        _ => json!({}),
    };
    ("", Body::from(body.to_string()))
}

/// What is asked before anything is unlocked, or is no operation.
fn is_operation(endpoint: Endpoint) -> bool {
    !matches!(endpoint, Endpoint::Status | Endpoint::OpenApi)
}

/// Problems of a request that was not understood: nothing was asked yet.
fn not_understood(answer: &Answer) -> bool {
    let code = answer.body["code"].as_str().unwrap_or_default();
    answer.status == StatusCode::BAD_REQUEST
        && ["invalid_request", "invalid_name", "invalid_json", "invalid_key"].contains(&code)
}

#[tokio::test]
async fn every_operation_of_root_leaves_one_entry_and_names_its_request() {
    let mut succeeded = 0;
    for endpoint in Endpoint::ALL.iter().copied() {
        let house = House::new().await;
        let (answer, left) = house.left(house.as_root(endpoint, "web")).await;
        let told: Vec<_> = left.iter().map(|line| (line.action, line.verdict)).collect();
        let expected = usize::from(is_operation(endpoint));
        // a body that is not understood may be found out before the gate is asked, or after
        let unasked = told.is_empty() && not_understood(&answer);
        let one = told.len() == expected || unasked;
        assert!(one, "{endpoint:?}: {} {} {told:?}", answer.status, answer.body);
        assert!(answer.named.is_some(), "{endpoint:?} does not say which request was answered");
        assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{endpoint:?}: {}", answer.body);
        if let [line] = left.as_slice() {
            let good = matches!(line.verdict, Verdict::Done | Verdict::Released);
            assert_eq!(good, answer.status.is_success(), "{endpoint:?}: {} {told:?}", answer.status);
            succeeded += usize::from(good);
        }
    }
    assert!(succeeded >= 20, "most rows have an example: {succeeded}");
}

#[tokio::test]
async fn every_operation_of_a_stranger_leaves_one_refused_entry() {
    for endpoint in Endpoint::ALL.iter().copied().filter(|row| row.access() == Access::Token) {
        let house = House::new().await;
        for token in [None, Some("sr.none")] {
            let from = if token.is_some() { "203.0.113.1" } else { "203.0.113.2" };
            let mut request = Request::builder()
                .method(endpoint.method().as_str())
                .uri(format!("{PREFIX}{}", path(endpoint, "web")))
                .extension(origin(from));
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let (answer, left) = house.left(house.ask(request, Body::from("{}"))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{endpoint:?}");
            let told: Vec<_> = left.iter().map(|line| (line.verdict, line.origin.as_str())).collect();
            assert_eq!(told, [(Verdict::Refused, from)], "{endpoint:?} {token:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_leaves_one_entry_that_says_so() {
    let in_a_store = |row: &Endpoint| row.path().contains("{store}") && row.access() == Access::Token;
    for endpoint in Endpoint::ALL.iter().copied().filter(in_a_store) {
        let house = House::new().await;
        let (answer, left) = house.left(house.as_root(endpoint, "nowhere")).await;
        if not_understood(&answer) {
            assert!(left.len() <= 1, "{endpoint:?}: {left:?}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{endpoint:?}: {}", answer.body);
        let told: Vec<_> = left.iter().map(|line| line.verdict).collect();
        assert_eq!(told, [Verdict::NotFound], "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_change_that_fails_leaves_one_failed_entry() {
    let mut failed = 0;
    for endpoint in Endpoint::ALL.iter().copied().filter(|row| row.access() == Access::Token) {
        let house = House::new().await;
        let struck = async {
            house.world.arm(Fault::FailBefore, 1);
            let answer = house.as_root(endpoint, "web").await;
            let happened = !house.world.fault().armed();
            house.world.fault().reset();
            (answer, happened)
        };
        let ((answer, happened), left) = house.left(struck).await;
        // of a lock it was the checkpoint before it
        if !happened || not_understood(&answer) || answer.status.is_success() {
            continue;
        }
        // the entry of a read is what failed: nothing is given up
        assert!(answer.status.is_server_error(), "{endpoint:?}: {} {}", answer.status, answer.body);
        assert!(left.len() <= 1, "{endpoint:?}: {left:?}");
        assert!(left.iter().all(|line| line.verdict == Verdict::Failed), "{endpoint:?}: {left:?}");
        failed += left.len();
    }
    assert!(failed >= 5, "changes are among them: {failed}");
}

#[tokio::test]
async fn what_is_no_operation_leaves_no_entry() {
    let house = House::new().await;
    let token = house.world.token().unwrap();
    let long = format!("{PREFIX}/stores/web/secrets/{}", "a/".repeat(600));
    let cases = [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("GET", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PATCH", "/api/v1/stores", 405),
        ("GET", "/api/v1/stores/%zz", 400),
        ("GET", "/api/v1/status", 200),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", long.as_str(), 400),
        ("GET", "/api/v1/audit/entries?unknown=1", 400),
        ("PUT", "/api/v1/stores/web/secrets/b", 400),
    ];
    for (method, uri, status) in cases {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header("authorization", format!("Bearer {token}"));
        let (answer, left) = house.left(house.ask(request, Body::from("{nonsense"))).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {uri}: {}", answer.body);
        assert!(left.is_empty(), "{method} {uri}: {left:?}");
    }
    let mut hurried = door_parts(&house.world, String::new);
    hurried.is_paced = Box::new(|_| false);
    let asked = async {
        let request = Request::builder().uri("/api/v1/stores").extension(origin("198.51.100.7"));
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty());
        read(NativeDoor::new(hurried).oneshot(request.unwrap()).await.unwrap()).await
    };
    let (answer, left) = house.left(asked).await;
    assert_eq!((answer.status, left.len()), (StatusCode::TOO_MANY_REQUESTS, 0), "a user who asks too often");
    let large = Request::builder().method("POST").uri("/api/v1/unlock");
    let (answer, left) = house.left(house.ask(large, Body::from(vec![b' '; 1 << 20]))).await;
    assert_eq!((answer.status, left.len()), (StatusCode::PAYLOAD_TOO_LARGE, 0), "a stranger's large body");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_served() {
    let world = TestWorld::unlocked().await;
    let door = door(&world, || panic!("metrics that cannot be had"));
    let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let answer = read(door.clone().oneshot(request).await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (500, &json!("internal")));
    let request = Request::builder().uri("/health").body(Body::empty()).unwrap();
    assert_eq!(door.oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn health_tells_of_both_floors_of_a_full_disk_and_reads_stop_at_the_last() {
    let store = MemoryStore::new(strongroom_audit::link);
    let below: SharedStore = Arc::<MemoryStore>::clone(&store);
    let world = TestWorld::unlocked_with(below, WorldOptions::default()).await;
    world.create_store("web").await.unwrap();
    world.put("web", "a", "1").await.unwrap();
    let house = House { door: door(&world, String::new), world };
    for (space, name, health, code, read) in [
        (Space::Ample, "ample", "ok", 200, 200),
        (Space::Reserved, "reserved", "degraded", 200, 200),
        (Space::Exhausted, "exhausted", "unavailable", 503, 507),
        (Space::Ample, "ample", "ok", 200, 200),
    ] {
        store.set_space(space);
        let answer = house.ask(Request::builder().uri("/health"), Body::empty()).await;
        let told = (answer.status.as_u16(), &answer.body["status"], &answer.body["space"]);
        assert_eq!(told, (code, &json!(health), &json!(name)));
        assert_eq!(house.as_root(Endpoint::GetSecret, "web").await.status.as_u16(), read, "{name}");
    }
}
