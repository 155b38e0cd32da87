//! A governed account: an enforced plan with limits, an agent's key, and a Stripe behind it with tokens that work.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::cancel::Canceller;
use axiru_aws::decide::{self, Ask, Decider};
use axiru_aws::jobs::{Job, JobQueue};
use axiru_aws::observe::{Observed, Observer};
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::{Purpose, Seal, SealContext};
use axiru_aws::tokens::TokenReader;
use axiru_domain::{
    Claimed, Counters, Intent, KeyId, KeyToken, Kind, Money, ObjectRole, RequestId, Scope, Taken, stripe_key,
};
use axiru_in_process::{EXECUTIONS_QUEUE_URL, InProcess, REFRESH_QUEUE_URL, Retries, SEAL_KEY_ID, STATE_TABLE};
use axiru_ledger::entry::{Entry, Tip};
use axiru_policy::Plan;
use axiru_stripe::report::Report;
use axiru_stripe::transport::Transport;
use axiru_stripe_sandbox::{ApiRequest, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};

use super::ground::{ACCOUNT, Ground, evening, log, morning};
use crate::played::{MODE, mode};

/// Any queue will do for jobs: what they are is seen in their bodies.
const JOBS: &str = EXECUTIONS_QUEUE_URL;

/// Everything is allowed up to 1000.00, and blocked above.
const POLICIES: &str = r#"
@id("allow") permit(principal, action in [Axiru::Action::"refund", Axiru::Action::"payout", Axiru::Action::"transfer", Axiru::Action::"transfer_reversal", Axiru::Action::"dispute_submit"], resource);
@id("huge-refund") forbid(principal, action == Axiru::Action::"refund", resource) when { context.currency == "usd" && context.amount_minor > 100000 };
@id("huge-payout") forbid(principal, action == Axiru::Action::"payout", resource) when { context.currency == "usd" && context.amount_minor > 100000 };
@id("huge-transfer") forbid(principal, action == Axiru::Action::"transfer", resource) when { context.currency == "usd" && context.amount_minor > 100000 };
@id("held-payout") @require_approval("finance") forbid(principal, action == Axiru::Action::"payout", resource) when { context.currency == "usd" && context.amount_minor > 90000 };
"#;

pub(super) struct Stage {
    pub(super) ground: Ground,
    pub(super) sandbox: Sandbox,
    pub(super) observer: Observer,
    pub(super) canceller: Canceller,
    /// The same as the sweeper has it, which finds what got lost.
    pub(super) sweeper: Canceller,
    key: String,
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn scope() -> Scope {
    Scope::new(mode(), ACCOUNT.parse().unwrap())
}

fn token() -> KeyToken {
    KeyToken::from_random(mode(), KeyId::from_random([1; 12]), &[1; 32])
}

impl Stage {
    /// With the plan enforced.
    pub(super) async fn new(account: InProcess, retries: Retries) -> Self {
        Self::with(account, retries, "enforce").await
    }

    pub(super) async fn simple() -> Self {
        Self::new(InProcess::new().unwrap(), Retries::Off).await
    }

    pub(super) async fn with(account: InProcess, retries: Retries, policy_mode: &str) -> Self {
        account.only(mode().as_str(), ACCOUNT);
        let sandbox = Sandbox::new(SandboxConfig::default());
        let made =
            json!({"id": ACCOUNT, "business_name": "Shop", "default_currency": "usd", "balance": {"usd": 10_000_000}});
        let keys = sandbox.control("POST", "accounts", made).unwrap()["keys"][mode().as_str()]["secret"].clone();
        let key_at_stripe = keys.as_str().unwrap().to_owned();
        let ground = Ground::new(account.clone(), retries).await;
        let tokens =
            json!({"access_token": keys, "refresh_token": "rt_test_0123456789", "obtained_at": evening().to_string()});
        let context = SealContext { purpose: Purpose::Tokens, mode: mode(), account: Some(ACCOUNT.parse().unwrap()) };
        let sealed = ground.seal().seal(&context, tokens.to_string().as_bytes()).await.unwrap();
        let connection = [
            ("pk", s(format!("{MODE}#connections"))),
            ("sk", s(ACCOUNT)),
            ("state", s("active")),
            ("lanes", AttributeValue::N("1".to_owned())),
            ("attempt", s("att_1")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
            ("tokens", AttributeValue::B(Blob::new(sealed))),
            ("tokens_at", s(evening().to_string())),
        ];
        ground.put(&connection).await;
        Self::put_plan(&ground, policy_mode).await;
        let key = [
            ("pk", s(format!("{MODE}#keys"))),
            ("sk", s(token().id().as_str())),
            ("secret_sha256", s(token().sha256().to_string())),
            ("actor", s("agent:ag_1")),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", AttributeValue::Ss(vec![ACCOUNT.to_owned()])),
            ("state", s("active")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", AttributeValue::N("10000".to_owned())),
            ("label", s("")),
            ("change", s("chg_1")),
        ];
        ground.put(&key).await;
        let jobs = JobQueue::new(acting_as("ObserveRole", &ground.account, ground.retries).sqs, JOBS);
        let observer = ground.observer(evening).with_jobs(jobs);
        let sweeper = canceller("SweepRole", &ground, Arc::new(account.stripe(&sandbox)));
        let canceller = canceller("ExecuteRole", &ground, Arc::new(account.stripe(&sandbox)));
        Self { ground, sandbox, observer, canceller, sweeper, key: key_at_stripe }
    }

    async fn put_plan(ground: &Ground, policy_mode: &str) {
        let limit = |id: &str, per: &str| {
            json!({"id": id, "per": per, "kinds": ["refund", "payout", "transfer"], "currency": "usd",
            "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 90_000_000, "on_exceed": "block"})
        };
        let plan = json!({"v": 1, "name": "all", "description": "For tests.",
            "kinds": ["refund", "payout", "transfer", "transfer_reversal", "dispute_submit"],
            "limits": [limit("actor-day", "actor"), limit("account-day", "account")]});
        let plan = Plan::parse(&plan.to_string(), POLICIES).unwrap_or_else(|error| panic!("{error}"));
        let heads = json!([{"plan": plan.name(), "policy_mode": policy_mode, "sha256": plan.sha256()}]).to_string();
        let pk = format!("{MODE}#{ACCOUNT}#plans");
        ground
            .put(&[("pk", s(pk)), ("sk", s("heads")), ("heads", s(heads)), ("version", AttributeValue::N("1".into()))])
            .await;
        let pk = format!("{MODE}#{ACCOUNT}#plan");
        let document = AttributeValue::B(Blob::new(plan.document()));
        ground.put(&[("pk", s(pk)), ("sk", s(plan.sha256())), ("document", document)]).await;
    }

    /// The agent asks for a movement and is allowed it; the request is under way, as the gateway leaves it before it calls Stripe.
    pub(super) async fn executing(&self, key: &str, kind: Kind, amount: i64, objects: &[(ObjectRole, &str)]) -> Asked {
        let objects: BTreeMap<_, _> = objects.iter().map(|(role, id)| (*role, id.parse().unwrap())).collect();
        let money = Money::new(amount, "usd".parse().unwrap()).unwrap();
        let ask = Ask {
            token: token(),
            account: ACCOUNT.parse().unwrap(),
            intent: Intent::new(kind, money, objects).unwrap(),
            reason: None,
            method: None,
            claimed: Claimed::nothing(),
            rationale: None,
            metadata: BTreeMap::new(),
            idempotency_key: key.parse().unwrap(),
            purpose: decide::Purpose::Advise,
            parameters: None,
        };
        let decided = Decider::new(self.ground.store()).with_clock(evening).decide(&ask).await.unwrap();
        let asked = Asked { id: decided.row.id.clone(), digest: decided.row.digest.clone(), entry: decided.entry };
        let execution = json!({"s": "caller", "b": evening().millis(), "d": 1}).to_string();
        self.set(&asked.id, &[("status", s("executing")), ("execution", s(execution))]).await;
        let sealed = [("pk", s(asked.pk())), ("sk", s("sealed")), ("parameters", s("x"))];
        self.ground.put(&sealed).await;
        asked
    }

    /// A canceller with another Stripe.
    pub(super) fn canceller_at(&self, stripe: Arc<dyn Transport>) -> Canceller {
        canceller("ExecuteRole", &self.ground, stripe)
    }

    /// Sets attributes of a request's row.
    pub(super) async fn set(&self, id: &RequestId, attributes: &[(&str, AttributeValue)]) {
        for (name, value) in attributes {
            let update = self.ground.clients.dynamodb.update_item().table_name(STATE_TABLE);
            let update = update.key("pk", s(format!("{MODE}#{ACCOUNT}#request#{id}"))).key("sk", s("request"));
            let update = update.update_expression("SET #n = :v").expression_attribute_names("#n", *name);
            update.expression_attribute_values(":v", value.clone()).send().await.unwrap();
        }
    }

    /// A text attribute of a row.
    pub(super) async fn text(&self, pk: &str, sk: &str, name: &str) -> Option<String> {
        let get = self.ground.clients.dynamodb.get_item().table_name(STATE_TABLE).consistent_read(true);
        let item = get.key("pk", s(pk)).key("sk", s(sk)).send().await.unwrap().item?;
        Some(item.get(name).map_or_else(|| "-".to_owned(), |v| v.as_s().cloned().unwrap_or_else(|_| format!("{v:?}"))))
    }

    pub(super) async fn status(&self, asked: &Asked) -> String {
        self.text(&asked.pk(), "request", "status").await.unwrap()
    }

    /// The rows that the outcome of Axiru's own call leaves behind.
    pub(super) async fn outcome(&self, asked: &Asked, movement: &str, object: &str, amount: i64, status: &str) {
        let held = self.text(&asked.pk(), "request", "counted").await.unwrap();
        let held: Vec<Taken> = serde_json::from_str(&held).unwrap();
        let mut committed = Vec::new();
        for taken in held {
            let pk = format!("{MODE}#{ACCOUNT}#counter#{}", taken.subject);
            let mut counters = Counters::from_text(&self.text(&pk, "counters", "counters").await.unwrap()).unwrap();
            let count = counters.commit(&taken.count, amount);
            let update = self.ground.clients.dynamodb.update_item().table_name(STATE_TABLE);
            let update = update.key("pk", s(pk)).key("sk", s("counters")).update_expression("SET counters = :v");
            update.expression_attribute_values(":v", s(counters.text())).send().await.unwrap();
            committed.push(Taken { subject: taken.subject, count });
        }
        self.set(&asked.id, &[("status", s("succeeded")), ("object", s(object)), ("counted", s("[]"))]).await;
        let row = [
            ("pk", s(format!("{MODE}#{ACCOUNT}#{movement}"))),
            ("sk", s("movement")),
            ("statuses", AttributeValue::L(vec![s(status)])),
            ("current", s(status)),
            ("request", s(asked.id.as_str())),
            ("unseen", AttributeValue::Bool(true)),
            ("counted", s(serde_json::to_string(&committed).unwrap())),
            ("version", AttributeValue::N("1".to_owned())),
        ];
        self.ground.put(&row).await;
    }

    /// Observes one report; the types of the entries it gave.
    pub(super) async fn observe(&self, report: &Report) -> Vec<String> {
        match self.observer.observe(vec![report.clone()]).await.pop().unwrap().unwrap() {
            Observed::Recorded(entries) => entries.into_iter().map(|entry| entry.ty).collect(),
            Observed::NotConnected => panic!("not connected"),
        }
    }

    pub(super) async fn entries(&self) -> Vec<Entry> {
        self.ground.entries(&log()).await
    }

    /// The types of all entries, in one unbroken chain.
    pub(super) async fn told(&self) -> Vec<String> {
        let mut tip = Tip::EMPTY;
        let entries = self.entries().await;
        for entry in &entries {
            assert_eq!((entry.seq(), entry.prev()), (tip.seq, tip.prev));
            tip = entry.next_tip();
        }
        entries.iter().map(|entry| entry.ty().to_owned()).collect()
    }

    /// What the windows of the agent and of the account hold: sums and counts, used and (where there is any) held.
    pub(super) async fn windows(&self) -> (String, String) {
        let of = async |subject: &str| {
            let text = self.text(&format!("{MODE}#{ACCOUNT}#counter#{subject}"), "counters", "counters").await;
            let text = text.unwrap_or_default();
            // `…[<start>,<sum>,<count>…]`: without where the window begins.
            text.rsplit('[')
                .next()
                .and_then(|last| last.split_once(','))
                .map_or_else(String::new, |(_, held)| held.trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned())
        };
        (of("actor#agent:ag_1").await, of("account#-").await)
    }

    /// The jobs that wait.
    pub(super) fn jobs(&self) -> Vec<Job> {
        self.ground.account.queued(JOBS).iter().filter_map(|body| serde_json::from_str(body).ok()).collect()
    }

    /// What a person or a bank does at Stripe.
    pub(super) fn at_stripe(&self, what: &str, body: Value) -> Value {
        self.sandbox.control("POST", &format!("{MODE}/{ACCOUNT}/{what}"), body).unwrap()
    }

    /// An object as Stripe has it, past the gate.
    pub(super) fn object(&self, path: &str) -> Value {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", self.key).parse().unwrap());
        let (method, query) = ("GET".to_owned(), String::new());
        let request = ApiRequest { method, path: path.to_owned(), query, headers, body: Vec::new() };
        serde_json::from_str(&self.sandbox.api(&request).body).unwrap()
    }
}

/// Its clock is late enough for a job of the evening to count as lost.
fn canceller(role: &'static str, ground: &Ground, stripe: Arc<dyn Transport>) -> Canceller {
    let clients = acting_as(role, &ground.account, ground.retries);
    let (store, seal) = (store_of(&clients), Seal::new(clients.kms, SEAL_KEY_ID));
    let asks = AskQueue::new(clients.sqs, REFRESH_QUEUE_URL);
    let reader = TokenReader::new(store.clone(), seal, asks).with_clock(evening);
    Canceller::new(store, stripe, "https://api.stripe.com".parse().unwrap(), reader, morning)
}

/// A request that is under way.
pub(super) struct Asked {
    pub(super) id: RequestId,
    digest: String,
    pub(super) entry: Entry,
}

impl Asked {
    pub(super) fn pk(&self) -> String {
        format!("{MODE}#{ACCOUNT}#request#{}", self.id)
    }

    /// The idempotency key of its call.
    pub(super) fn key(&self) -> String {
        stripe_key(&scope(), &self.id, &self.digest)
    }

    /// What its object's metadata say.
    pub(super) fn metadata(&self) -> Value {
        let receipt = format!("{}:{}:{}", log(), self.entry.seq(), self.entry.leaf_hash());
        json!({"axiru_request": self.id.as_str(), "axiru_receipt": receipt, "note": "the merchant's own"})
    }
}
