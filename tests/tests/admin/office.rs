//! The office: the admin function over the AWS doubles, connected scopes, and operators who call.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{KeyToken, Lane, LogId, Mode, Scope, Timestamp};
use axiru_fn_admin::App;
use axiru_in_process::{InProcess, Retries, STATE_TABLE};
use axiru_ledger::entry::Entry;
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::acting::{acting_as, store_of};

/// An operator.
pub(super) const ROSA: &str = "arn:aws:iam::111122223333:user/rosa";
/// Another.
pub(super) const JO: &str = "arn:aws:sts::111122223333:assumed-role/ops/jo";
/// Rosa as a person.
pub(super) const PER_ROSA: &str = "per_rosarosarosarosa";
/// Jo as a person.
pub(super) const PER_JO: &str = "per_jojojojojojojojo";
/// The scope of most stories.
pub(super) const LIVE: &str = "live/acct_1";

/// Ana as a person, who approves for `finance` where a story has her.
pub(super) const PER_ANA: &str = "per_anaanaanaanaanaa";
/// The clock of all stories.
pub(super) fn now() -> Timestamp {
    "2026-10-31T12:00:00.000Z".parse().unwrap()
}

/// A day later.
pub(super) fn next_day() -> Timestamp {
    now().plus_secs(86_401)
}

/// A change id that ends in this number.
pub(super) fn chg(number: u32) -> String {
    format!("chg_{number:032x}")
}

/// One deployment in one process.
pub(super) struct Office {
    pub(super) account: InProcess,
    pub(super) app: App,
}

impl Office {
    /// Both modes of two accounts are connected, with the read-only manifest.
    pub(super) async fn new(account: InProcess, retries: Retries) -> Self {
        let admin = acting_as("AdminRole", &account, retries);
        let store = store_of(&admin);
        let tasks = axiru_aws::reconcile::TaskQueue::new(admin.sqs, axiru_in_process::RECONCILE_QUEUE_URL);
        let public_url = Url::parse("https://axiru.example").unwrap();
        let app = App { deployment: "office".to_owned(), public_url, mail: true, store, tasks, now };
        let office = Self { account, app };
        for mode in Mode::ALL {
            for account in ["acct_1", "acct_2"] {
                office.connect(mode, account, "read_only").await;
            }
        }
        office
    }

    /// A fresh one, in which Rosa is a person of [`LIVE`].
    pub(super) async fn with_rosa(account: InProcess, retries: Retries) -> Self {
        let office = Self::new(account, retries).await;
        let body = json!({"change": chg(0xbeef), "person": PER_ROSA, "me": true});
        office.done(ROSA, "persons", body).await;
        office
    }

    /// Ana approves for `finance`, which the starter plans ask.
    pub(super) async fn with_ana(&self) {
        let ana =
            json!({"change": chg(0xa4a), "person": PER_ANA, "emails": ["ana@example.com"], "groups": ["finance"]});
        self.done(ROSA, "persons", ana).await;
    }

    /// The same office at another time.
    pub(super) fn at(&self, now: fn() -> Timestamp) -> Self {
        let App { deployment, public_url, mail, store, .. } = &self.app;
        let tasks =
            axiru_aws::reconcile::TaskQueue::new(self.account.sqs(Retries::Off), axiru_in_process::RECONCILE_QUEUE_URL);
        let (deployment, public_url, store) = (deployment.clone(), public_url.clone(), store.clone());
        Self { account: self.account.clone(), app: App { deployment, public_url, mail: *mail, store, tasks, now } }
    }

    /// The row that connecting leaves behind.
    pub(super) async fn connect(&self, mode: Mode, account: &str, permissions: &str) {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let client = self.account.dynamodb(Retries::On);
        let mut put = client.put_item().table_name(STATE_TABLE);
        for (name, value) in [
            ("pk", s(&format!("{mode}#connections"))),
            ("sk", s(account)),
            ("state", s("active")),
            ("lanes", AttributeValue::N("2".to_owned())),
            ("attempt", s("att_1")),
            ("permissions", s(permissions)),
            ("display_name", s("Rosa’s Shop")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
        ] {
            put = put.item(name, value);
        }
        put.send().await.unwrap();
    }

    /// The function's answer.
    pub(super) async fn ask(&self, caller: Option<&str>, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let authorizer = caller.map_or(json!({}), |arn| json!({"iam": {"userArn": arn}}));
        let event = json!({
            "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": query,
            "headers": {"content-type": "application/json"}, "body": body, "isBase64Encoded": false,
            "requestContext": {"http": {"method": method, "path": path}, "authorizer": authorizer},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let answer = axiru_fn_admin::handle(&self.app, request).await;
        (answer.status(), serde_json::from_slice(answer.body()).unwrap())
    }

    /// A change in a scope.
    pub(super) async fn post(&self, caller: &str, scope: &str, route: &str, body: &Value) -> (StatusCode, Value) {
        self.ask(Some(caller), "POST", &format!("/admin/{scope}/{route}"), &body.to_string()).await
    }

    /// A change in [`LIVE`] that must succeed.
    pub(super) async fn done(&self, caller: &str, route: &str, body: Value) -> Value {
        let (status, answer) = self.post(caller, LIVE, route, &body).await;
        assert_eq!(status, StatusCode::OK, "{route}: {answer}");
        answer
    }

    /// A change in [`LIVE`] that must be refused: the code and the detail.
    pub(super) async fn refused(&self, caller: &str, route: &str, body: Value) -> (u16, String, String) {
        let before = self.entries(LIVE).await.len();
        let (status, answer) = self.post(caller, LIVE, route, &body).await;
        assert!(status.is_client_error(), "{route}: {status} {answer}");
        assert_eq!(self.entries(LIVE).await.len(), before, "a refusal is no entry");
        (status.as_u16(), answer["code"].as_str().unwrap().to_owned(), answer["detail"].as_str().unwrap().to_owned())
    }

    /// What a route of a scope shows.
    pub(super) async fn get(&self, scope: &str, route: &str) -> Value {
        let (status, answer) = self.ask(Some(ROSA), "GET", &format!("/admin/{scope}/{route}"), "").await;
        assert_eq!(status, StatusCode::OK, "{route}: {answer}");
        answer
    }

    /// The entries of a scope's lane 0.
    pub(super) async fn entries(&self, scope: &str) -> Vec<Entry> {
        let log = LogId { scope: scope.parse::<Scope>().unwrap(), lane: Lane::ZERO };
        self.app.store.entries(&log, 0, 100).await.unwrap()
    }

    /// Their types.
    pub(super) async fn types(&self, scope: &str) -> Vec<String> {
        self.entries(scope).await.iter().map(|entry| entry.ty().to_owned()).collect()
    }
}

/// A key of this number, for live mode.
pub(super) fn token(number: u8) -> KeyToken {
    token_of(Mode::Live, number)
}

/// The same in a mode.
pub(super) fn token_of(mode: Mode, number: u8) -> KeyToken {
    KeyToken::from_random(mode, axiru_domain::KeyId::from_random([number; 12]), &[number; 32])
}

/// The body that makes a key, for the holder that `who` names.
pub(super) fn key_body(change: u32, token: &KeyToken, who: Value) -> Value {
    let mut body = json!({
        "change": chg(change), "key": token.id(), "secret_sha256": token.sha256().to_string(),
        "valid_until": now().plus_secs(30 * 86_400), "per_minute": 60, "label": "canary label",
    });
    body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    body
}

/// A new agent for whom Rosa answers.
pub(super) fn new_agent() -> Value {
    json!({"actor": "agent:ag_1", "operator": PER_ROSA})
}

/// The files of a starter plan.
pub(super) fn plan(name: &str) -> (String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/plans");
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{name}/{file}")).unwrap();
    (read("plan.json"), read("policies.cedar"))
}

/// The body that pushes a starter plan, with one text replaced in its policies.
pub(super) fn push_body(change: u32, name: &str, from: &str, to: &str) -> Value {
    let (head, policies) = plan(name);
    assert!(policies.contains(from));
    json!({"change": chg(change), "plan": head, "policies": policies.replacen(from, to, 1)})
}

/// Runs a story on a fresh office with Rosa, on a paused clock.
pub(super) fn run(story: impl AsyncFn(&Office)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let office = Office::with_rosa(InProcess::new().unwrap(), Retries::Off).await;
        story(&office).await;
    });
}
