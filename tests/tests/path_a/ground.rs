//! Connected accounts with plans, persons' keys, and the real handler over SDK clients in one process.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::{Clients, Store};
use axiru_domain::{KeyId, KeyToken, LogId, Mode, Timestamp};
use axiru_fn_decide::{App, handle};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_ledger::entry::Entry;
use axiru_policy::Plan;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};
use crate::played::mode;

/// The accounts that are connected, each in both modes.
pub(super) const ACCOUNTS: [&str; 2] = ["acct_1", "acct_2"];

/// The agent's key in a mode, for `acct_1` only.
pub(super) const AGENT: u8 = 1;

/// A member of staff's key in a mode, for both accounts.
pub(super) const STAFF: u8 = 2;

/// The same agent's other key, while keys are rotated.
pub(super) const AGENT_AGAIN: u8 = 3;

/// 2026-10-31 12:00 UTC. Tests that move the clock do so in a process (nextest) or a runtime of their own.
const NOON: i64 = 1_793_448_000_000;

thread_local! {
    static CLOCK: AtomicI64 = const { AtomicI64::new(NOON) };
}

/// The test's clock. Each test has a thread of its own.
pub(super) fn now() -> Timestamp {
    CLOCK.with(|clock| Timestamp::from_millis(clock.load(Ordering::Relaxed)).unwrap())
}

/// Moves the test's clock to so many seconds after noon.
pub(super) fn at_secs(secs: i64) {
    CLOCK.with(|clock| clock.store(NOON + secs * 1_000, Ordering::Relaxed));
}

/// The key with that number in a mode.
pub(super) fn key(mode: Mode, number: u8) -> KeyToken {
    KeyToken::from_random(mode, KeyId::from_random([number; 12]), &[number; 32])
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// What the accounts have.
#[derive(Clone)]
pub(super) struct Setting {
    /// `(plan.json, policies.cedar, policy mode)`.
    pub(super) plans: Vec<(Value, &'static str, &'static str)>,
    pub(super) lanes: u16,
    pub(super) per_minute: u32,
}

impl Setting {
    /// One enforced plan: what every test understands at a glance.
    pub(super) fn simple() -> Self {
        Self { plans: vec![(plan(json!([])), POLICIES, "enforce")], lanes: 1, per_minute: 10_000 }
    }

    /// The same with these limits.
    pub(super) fn with_limits(limits: Value) -> Self {
        Self { plans: vec![(plan(limits), POLICIES, "enforce")], ..Self::simple() }
    }
}

/// A plan of that name's limits.
pub(super) fn plan(limits: Value) -> Value {
    let mut plan = json!({"v": 1, "name": "refunds", "description": "For tests.", "kinds": ["refund", "payout"]});
    if limits.as_array().is_some_and(|limits| !limits.is_empty()) {
        plan["limits"] = limits;
    }
    plan
}

/// Allowed up to 100.00, held up to 1000.00, blocked above. Payouts are allowed.
pub(super) const POLICIES: &str = r#"
@id("allow") permit(principal, action in [Axiru::Action::"refund", Axiru::Action::"payout"], resource);
@id("hold-large") @require_approval("finance") @expires("2h")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 10000 };
@id("block-huge")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 100000 };
"#;

/// One process of a deployment.
pub(super) struct Ground {
    pub(super) account: InProcess,
    pub(super) clients: Clients,
    pub(super) retries: Retries,
    pub(super) app: App,
}

impl Ground {
    /// A fresh account in that setting.
    pub(super) async fn new(account: InProcess, retries: Retries, setting: &Setting) -> Self {
        account.only(mode().as_str(), ACCOUNTS[0]);
        let ground = Self::process(account, retries);
        for mode in Mode::ALL {
            for account in ACCOUNTS {
                ground.connect(mode, account, setting).await;
            }
            ground.put_key(mode, AGENT, "agent:ag_1", &ACCOUNTS[..1], setting.per_minute).await;
            ground.put_key(mode, AGENT_AGAIN, "agent:ag_1", &ACCOUNTS[..1], setting.per_minute).await;
            ground.put_key(mode, STAFF, "staff:st_1", &ACCOUNTS, setting.per_minute).await;
        }
        ground
    }

    /// The usual one.
    pub(super) async fn simple() -> Self {
        Self::new(InProcess::new().unwrap(), Retries::On, &Setting::simple()).await
    }

    /// Another process on the same tables: nothing in memory.
    pub(super) fn process(account: InProcess, retries: Retries) -> Self {
        let clients = crate::acting::clients(&account, retries);
        let decide = acting_as("DecideRole", &account, retries);
        let app = App::new(store_of(&decide), None, now);
        Self { account, clients, retries, app }
    }

    async fn connect(&self, mode: Mode, account: &str, setting: &Setting) {
        let connection = [
            ("pk", s(format!("{mode}#connections"))),
            ("sk", s(account)),
            ("state", s("active")),
            ("lanes", n(setting.lanes)),
            ("attempt", s("att_1")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
        ];
        self.put(&connection).await;
        let plans = setting.plans.iter().map(|(head, policies, policy_mode)| {
            (Plan::parse(&head.to_string(), policies).unwrap_or_else(|error| panic!("{error}")), *policy_mode)
        });
        self.put_plans(mode, account, plans.collect(), 1).await;
    }

    /// The plans in force.
    pub(super) async fn put_plans(&self, mode: Mode, account: &str, plans: Vec<(Plan, &str)>, version: u64) {
        let mut heads = Vec::new();
        for (plan, policy_mode) in plans {
            heads.push(json!({"plan": plan.name(), "policy_mode": policy_mode, "sha256": plan.sha256()}));
            let document = [
                ("pk", s(format!("{mode}#{account}#plan"))),
                ("sk", s(plan.sha256())),
                ("document", AttributeValue::B(Blob::new(plan.document()))),
            ];
            self.put(&document).await;
        }
        heads.sort_by_key(|head| head["plan"].as_str().map(str::to_owned));
        let row = [
            ("pk", s(format!("{mode}#{account}#plans"))),
            ("sk", s("heads")),
            ("heads", s(Value::from(heads).to_string())),
            ("version", n(version)),
        ];
        self.put(&row).await;
    }

    /// A live key.
    pub(super) async fn put_key(&self, mode: Mode, number: u8, actor: &str, accounts: &[&str], per_minute: u32) {
        let token = key(mode, number);
        let accounts = accounts.iter().map(|account| (*account).to_owned()).collect();
        let row = [
            ("pk", s(format!("{mode}#keys"))),
            ("sk", s(token.id().as_str())),
            ("secret_sha256", s(token.sha256().to_string())),
            ("actor", s(actor)),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", AttributeValue::Ss(accounts)),
            ("state", s("active")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", n(per_minute)),
            ("label", s("")),
            ("change", s("chg_1")),
        ];
        self.put(&row).await;
    }

    pub(super) async fn put(&self, item: &[(&str, AttributeValue)]) {
        let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE).set_item(Some(item));
        put.send().await.unwrap();
    }

    /// Changes one attribute of a row.
    pub(super) async fn set(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        let update = self.clients.dynamodb.update_item().table_name(local::STATE_TABLE);
        let update = update.key("pk", s(pk)).key("sk", s(sk)).update_expression("SET #n = :v");
        update.expression_attribute_names("#n", name).expression_attribute_values(":v", value).send().await.unwrap();
    }

    pub(super) fn store(&self) -> Store {
        Store::new(self.clients.dynamodb.clone(), local::STATE_TABLE, local::LEDGER_TABLE)
    }

    /// Asks with the agent's test key.
    pub(super) async fn ask(&self, body: &Value) -> Answered {
        self.ask_with(&key(mode(), AGENT), body).await
    }

    /// Asks with another key.
    pub(super) async fn ask_with(&self, key: &KeyToken, body: &Value) -> Answered {
        let headers =
            [("authorization", format!("Bearer {}", key.expose())), ("content-type", "application/json".into())];
        self.call("POST", "/api/v1/decisions", &headers, &body.to_string()).await
    }

    /// Reads with the agent's test key.
    pub(super) async fn get(&self, path: &str) -> Answered {
        self.get_with(&key(mode(), AGENT), path).await
    }

    pub(super) async fn get_with(&self, key: &KeyToken, path: &str) -> Answered {
        self.call("GET", path, &[("authorization", format!("Bearer {}", key.expose()))], "").await
    }

    /// Any call, as the HTTP API hands it over.
    pub(super) async fn call(&self, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> Answered {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        let parameters: serde_json::Map<String, Value> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": route, "rawQueryString": query, "headers": headers,
            "queryStringParameters": parameters, "body": body, "isBase64Encoded": false,
            "requestContext": {"http": {"method": method, "path": route}},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = handle(&self.app, &request).await;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (replayed, retry_after) = (header("idempotent-replayed"), header("retry-after"));
        let allow = header("allow");
        let text = match response.into_body() {
            Body::Text(text) => text,
            _ => String::new(),
        };
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answered { status, body, text, replayed: replayed.is_some(), retry_after, allow }
    }

    /// Every entry of a log.
    pub(super) async fn entries(&self, log: &str) -> Vec<Entry> {
        self.store().entries(&LogId::from_key(log).unwrap(), 0, 10_000).await.unwrap()
    }

    /// Sums of what every counter row of an account holds, by its text.
    pub(super) async fn counters(&self, pk: &str) -> Option<String> {
        let get =
            self.clients.dynamodb.get_item().table_name(local::STATE_TABLE).key("pk", s(pk)).key("sk", s("counters"));
        let item = get.send().await.unwrap().item?;
        item.get("counters").and_then(|value| value.as_s().ok()).cloned()
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) text: String,
    pub(super) replayed: bool,
    pub(super) retry_after: Option<String>,
    pub(super) allow: Option<String>,
}

impl Answered {
    /// `outcome` of a decision, or the `code` of a problem.
    pub(super) fn word(&self) -> String {
        let word = self.body.get("outcome").or_else(|| self.body.get("code"));
        word.and_then(Value::as_str).unwrap_or("-").to_owned()
    }

    pub(super) fn text_of(&self, name: &str) -> String {
        self.body.get(name).and_then(Value::as_str).unwrap_or("-").to_owned()
    }
}

/// A question about a refund.
pub(super) fn refund(key: &str, amount: i64, charge: &str) -> Value {
    json!({
        "intent": {"kind": "refund", "amount_cents": amount, "currency": "usd", "stripe_connection_id": "acct_1", "charge": charge},
        "idempotency_key": key,
    })
}
