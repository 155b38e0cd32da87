//! A connected account at a sandboxed Stripe, a key, a plan, and the real gateway, worker, observer and sweeper in one process.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::execution::{Executor, Recovered, Recoverer};
use axiru_aws::expire::Expirer;
use axiru_aws::jobs::JobQueue;
use axiru_aws::observe::Observer;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::{Purpose, Seal, SealContext};
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::{KeyId, KeyToken, Lane, LogId, Scope};
use axiru_fn_gateway::App;
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries, Stripe};
use axiru_ledger::entry::{Entry, Tip};
use axiru_policy::Plan;
use axiru_stripe::base::ApiBase;
use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use axiru_stripe_sandbox::Sandbox;
use serde_json::{Value, json};

use super::answered::Answered;
use crate::acting::{acting_as, store_of};
use crate::played::{MODE, mode};
pub(crate) use crate::refresh::ground::now;

/// The connected account.
pub(crate) const ACCOUNT: &str = "acct_1";

/// Allowed up to 100.00, held up to 1000.00, blocked above; everything else of the families is allowed.
pub(crate) const POLICIES: &str = r#"
@id("allow") permit(principal, action, resource);
@id("hold-large") @require_approval("finance") @expires("2h")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 10000 };
@id("block-huge")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 100000 };
"#;

/// Every kind, and a day of 500.00 for the actor.
pub(crate) fn plan() -> Value {
    let kinds = ["refund", "payout", "transfer", "transfer_reversal", "dispute_accept", "dispute_submit"];
    json!({"v": 1, "name": "everything", "description": "For tests.", "kinds": kinds, "limits": [
        {"id": "actor-day", "per": "actor", "kinds": ["refund", "payout"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 50_000_000, "on_exceed": "block"},
        {"id": "account-day", "per": "account", "kinds": ["refund", "payout"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 90_000_000, "on_exceed": "block"},
    ]})
}

/// One process of a deployment.
pub(crate) struct Ground {
    pub(crate) account: InProcess,
    pub(crate) stripe: Stripe,
    pub(crate) retries: Retries,
    pub(crate) app: App,
    /// A charge of 5,000.00 at Stripe.
    pub(crate) charge: String,
    /// What Stripe has delivered.
    delivered: Arc<Mutex<Vec<Report>>>,
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn bearer(token: &str) -> http::HeaderMap {
    http::HeaderMap::from_iter([(http::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

/// The agent's key.
pub(crate) fn key() -> KeyToken {
    KeyToken::from_random(mode(), KeyId::from_random([1; 12]), &[1; 32])
}

pub(crate) fn scope() -> Scope {
    Scope::new(mode(), ACCOUNT.parse().unwrap())
}

fn base() -> ApiBase {
    "https://api.stripe.com".parse().unwrap()
}

impl Ground {
    /// A fresh deployment whose one plan is in that policy mode.
    pub(crate) async fn new(account: InProcess, retries: Retries, policy_mode: &str) -> Self {
        account.only(mode().as_str(), ACCOUNT);
        let sandbox = Sandbox::new(local::sandbox_config());
        let stripe = account.stripe(&sandbox).at(|| now().secs());
        let mut ground = Self::process(account, stripe, retries, String::new());
        ground.control("accounts", json!({"id": ACCOUNT, "business_name": "Rosa", "balance": {"usd": 100_000_000}}));
        ground.control("accounts", json!({"id": "acct_payee", "business_name": "Payee"}));
        ground.listen();
        ground.connect().await;
        ground.put_plan(policy_mode, 1).await;
        ground.put_key().await;
        ground.charge = ground.charged(500_000);
        ground
    }

    /// The same deployment after a restart: nothing in memory.
    pub(crate) fn restarted(&self) -> Self {
        let process = Self::process(self.account.clone(), self.stripe.clone(), self.retries, self.charge.clone());
        Self { delivered: Arc::clone(&self.delivered), ..process }
    }

    fn process(account: InProcess, stripe: Stripe, retries: Retries, charge: String) -> Self {
        let gateway = acting_as("GatewayRole", &account, retries);
        let store = store_of(&gateway);
        let seal = Seal::new(gateway.kms, local::SEAL_KEY_ID);
        let asks = AskQueue::new(gateway.sqs, local::REFRESH_QUEUE_URL);
        let app = App::new(store, seal, asks, Arc::new(stripe.clone()), base(), now);
        Self { account, stripe, retries, app, charge, delivered: Arc::default() }
    }

    /// The usual one.
    pub(crate) async fn enforcing() -> Self {
        Self::new(InProcess::new().unwrap(), Retries::Off, "enforce").await
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.account.dynamodb(self.retries), local::STATE_TABLE, local::LEDGER_TABLE)
    }

    fn seal(&self) -> Seal {
        Seal::new(self.account.kms(self.retries), local::SEAL_KEY_ID)
    }

    fn sweeper(&self) -> Clients {
        acting_as("SweepRole", &self.account, self.retries)
    }

    /// Calls to Stripe without the gateway, as the sweeper makes them.
    pub(crate) fn direct(&self) -> Reach {
        let sweep = self.sweeper();
        let (store, seal) = (store_of(&sweep), Seal::new(sweep.kms, local::SEAL_KEY_ID));
        let tokens = TokenReader::new(store, seal, AskQueue::new(sweep.sqs, local::REFRESH_QUEUE_URL)).with_clock(now);
        Reach::new(Arc::new(self.stripe.clone()), base(), tokens)
    }

    /// The sweeper's.
    pub(crate) fn executor(&self) -> Executor {
        Executor::new(store_of(&self.sweeper()), Arc::new(self.direct()), now)
    }

    /// What only a person, a bank or chance can do at Stripe.
    pub(crate) fn control(&self, path: &str, body: Value) -> Value {
        let sandbox = self.stripe.sandbox();
        sandbox.control("POST", "clock", json!({"set": now().secs()})).unwrap();
        sandbox.control("POST", path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A charge.
    pub(crate) fn charged(&self, amount: i64) -> String {
        let made = self.control(&format!("{MODE}/{ACCOUNT}/charges"), json!({"amount": amount, "currency": "usd"}));
        made["id"].as_str().unwrap().to_owned()
    }

    /// Webhooks are delivered.
    fn listen(&self) {
        let form = "url=https%3A%2F%2Faxiru.test%2F&connect=true&enabled_events%5B%5D=*";
        let request = axiru_stripe_sandbox::ApiRequest {
            method: "POST".to_owned(),
            path: "/v1/webhook_endpoints".to_owned(),
            query: String::new(),
            headers: bearer(&format!("sk_{MODE}_inprocess_developer")),
            body: form.as_bytes().to_vec(),
        };
        let answer = self.stripe.sandbox().api(&request);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// The rows that connecting leaves behind, with tokens of now.
    pub(crate) async fn connect(&self) {
        let granted = self.control(&format!("{MODE}/{ACCOUNT}/install"), json!({}))["tokens"].clone();
        let tokens = json!({
            "access_token": granted["access_token"], "refresh_token": granted["refresh_token"], "obtained_at": now().to_string(),
        });
        let context = SealContext { purpose: Purpose::Tokens, mode: mode(), account: Some(ACCOUNT.parse().unwrap()) };
        let sealed = self.seal().seal(&context, tokens.to_string().as_bytes()).await.unwrap();
        self.put(&[
            ("pk", s(format!("{MODE}#connections"))),
            ("sk", s(ACCOUNT)),
            ("state", s("active")),
            ("lanes", AttributeValue::N("1".into())),
            ("attempt", s("att_1")),
            ("permissions", s("enforcing")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
            ("tokens", AttributeValue::B(Blob::new(sealed))),
            ("tokens_at", s(now().to_string())),
        ])
        .await;
    }

    /// The plan, in a policy mode.
    pub(crate) async fn put_plan(&self, policy_mode: &str, version: u64) {
        let plan = Plan::parse(&plan().to_string(), POLICIES).unwrap_or_else(|error| panic!("{error}"));
        let heads = json!([{"plan": plan.name(), "policy_mode": policy_mode, "sha256": plan.sha256()}]).to_string();
        self.put(&[
            ("pk", s(format!("{MODE}#{ACCOUNT}#plans"))),
            ("sk", s("heads")),
            ("heads", s(heads)),
            ("version", AttributeValue::N(version.to_string())),
        ])
        .await;
        self.put(&[
            ("pk", s(format!("{MODE}#{ACCOUNT}#plan"))),
            ("sk", s(plan.sha256())),
            ("document", AttributeValue::B(Blob::new(plan.document()))),
        ])
        .await;
    }

    async fn put_key(&self) {
        let token = key();
        self.put(&[
            ("pk", s(format!("{MODE}#keys"))),
            ("sk", s(token.id().as_str())),
            ("secret_sha256", s(token.sha256().to_string())),
            ("actor", s("agent:ag_1")),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", AttributeValue::Ss(vec![ACCOUNT.to_owned()])),
            ("state", s("active")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", AttributeValue::N("10000".into())),
            ("label", s("")),
            ("change", s("chg_1")),
        ])
        .await;
    }

    pub(crate) async fn put(&self, item: &[(&str, AttributeValue)]) {
        let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let dynamodb = self.account.dynamodb(Retries::Off);
        dynamodb.put_item().table_name(local::STATE_TABLE).set_item(Some(item)).send().await.unwrap();
    }

    /// Turns a switch of the mode by its row: `*`, an account, or `<account>#<actor>`.
    pub(crate) async fn turn_switch(&self, of: &str, stopped: bool) {
        self.put(&[
            ("pk", s(format!("{MODE}#switches"))),
            ("sk", s(of)),
            ("stopped", AttributeValue::Bool(stopped)),
            ("since", s(now().to_string())),
            ("version", AttributeValue::N("1".into())),
        ])
        .await;
    }

    /// A call with the agent's key and an idempotency key.
    pub(crate) async fn post(&self, idempotency_key: &str, path: &str, form: &str) -> Answered {
        self.call("POST", path, &[("idempotency-key", idempotency_key)], form).await
    }

    /// A refund of the charge.
    pub(crate) async fn refund(&self, idempotency_key: &str, amount: i64) -> Answered {
        self.post(idempotency_key, "/v1/refunds", &format!("charge={}&amount={amount}", self.charge)).await
    }

    /// Any call with the agent's key, as the HTTP API hands it over.
    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], form: &str) -> Answered {
        let authorization = format!("Bearer {}", key().expose());
        let mut all: Vec<(&str, &str)> = vec![("authorization", &authorization)];
        if !form.is_empty() {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        all.extend(headers.iter().copied());
        self.raw(method, path, &all, form).await
    }

    /// Any call, with these headers alone.
    pub(crate) async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": route, "rawQueryString": query, "headers": headers,
            "body": body, "isBase64Encoded": false, "requestContext": {"http": {"method": method, "path": route}},
        });
        Answered::to(&self.app, lambda_http::request::from_str(&event.to_string()).unwrap()).await
    }

    /// Every event that Stripe has delivered until now, as reports: what a process took and lost is delivered again.
    pub(crate) fn events(&self) -> Vec<Report> {
        let deliveries = self.stripe.sandbox().drain_outbox();
        let reports = deliveries.into_iter().filter_map(|delivery| {
            match project(delivery.body.as_ref(), mode()).unwrap_or_else(|error| panic!("{error}")) {
                Projected::Report(report) => Some(*report),
                Projected::Ignored(_) => None,
            }
        });
        let mut delivered = self.delivered.lock().unwrap();
        delivered.extend(reports);
        delivered.clone()
    }

    /// Observes reports; the types of the new entries.
    pub(crate) async fn observe(&self, reports: Vec<Report>) -> Result<Vec<String>, String> {
        let observer = Observer::new(store_of(&acting_as("ObserveRole", &self.account, self.retries))).with_clock(now);
        let mut told = Vec::new();
        for observed in observer.observe(reports).await {
            match observed.map_err(|error| error.to_string())? {
                axiru_aws::observe::Observed::Recorded(entries) => told.extend(entries.into_iter().map(|e| e.ty)),
                axiru_aws::observe::Observed::NotConnected => return Err("not connected".to_owned()),
            }
        }
        Ok(told)
    }

    /// One run of the sweeper.
    pub(crate) async fn sweep(&self) -> Result<Recovered, String> {
        let sweep = self.sweeper();
        let expired = Expirer::new(store_of(&sweep), now).run(mode()).await.map_err(|error| error.to_string())?;
        let jobs = JobQueue::new(sweep.sqs, local::EXECUTIONS_QUEUE_URL);
        let recoverer = Recoverer::new(self.executor(), jobs);
        let recovered = recoverer.run(mode()).await.map_err(|error| error.to_string())?;
        if expired.failed + recovered.failed == 0 { Ok(recovered) } else { Err("something could not be swept".into()) }
    }

    /// Every entry, in one chain.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let log = LogId { scope: scope(), lane: Lane::ZERO };
        let entries = self.store().entries(&log, 0, 10_000).await.unwrap();
        let mut tip = Tip::EMPTY;
        for entry in &entries {
            assert_eq!((entry.seq(), entry.prev()), (tip.seq, tip.prev), "the chain");
            tip = entry.next_tip();
        }
        entries
    }

    /// The types of the entries, in order.
    pub(crate) async fn types(&self) -> Vec<String> {
        self.entries().await.iter().map(|entry| entry.ty().to_owned()).collect()
    }

    /// What the windows of a subject hold, as the row says it; `{}` for nothing.
    pub(crate) async fn counters(&self, subject: &str) -> String {
        let dynamodb = self.account.dynamodb(Retries::Off);
        let get = dynamodb.get_item().table_name(local::STATE_TABLE);
        let item = get
            .key("pk", s(format!("{MODE}#{ACCOUNT}#counter#{subject}")))
            .key("sk", s("counters"))
            .consistent_read(true)
            .send()
            .await
            .unwrap()
            .item;
        let text = item.and_then(|item| item.get("counters").and_then(|value| value.as_s().ok()).cloned());
        text.unwrap_or_else(|| "{}".to_owned())
    }

    pub(crate) async fn actor_counters(&self) -> String {
        self.counters("actor#agent:ag_1").await
    }
}

/// Lets time pass.
pub(crate) async fn pass(secs: u64) {
    tokio::time::sleep(std::time::Duration::from_secs(secs)).await;
}
