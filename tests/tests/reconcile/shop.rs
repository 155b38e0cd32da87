//! A shop: an account connected in both modes, the sandbox as its Stripe, and the function that compares.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::export::Bucket;
use axiru_aws::jobs::JobQueue;
use axiru_aws::observe::{Observed, Observer};
use axiru_aws::plans::{PlanHead, PlanHeads};
use axiru_aws::reach::Reach;
use axiru_aws::reconcile::{Healer, Task, TaskQueue};
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::{Purpose, Seal, SealContext};
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::{LogId, Mode, PolicyMode, Scope, Timestamp};
use axiru_fn_reconcile::{App, handle};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_ledger::entry::{Entry, Tip};
use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use axiru_stripe::transport::{Answering, Transport, TransportError};
use axiru_stripe_sandbox::{ApiRequest, Clock, Sandbox, SandboxConfig, SignedDelivery};
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};
use crate::played::{MODE, mode};

pub(super) const ACCOUNT: &str = "acct_1";
pub(super) fn log() -> String {
    format!("{MODE}#acct_1#0")
}
const OTHER: &str = "acct_2";

/// The developer key of the app that the sandbox has by itself.
fn developer_key() -> String {
    let config = SandboxConfig::default();
    if mode() == Mode::Test { config.test_app.developer_key } else { config.live_app.developer_key }
}

static STARTER: LazyLock<Vec<axiru_policy::Plan>> = LazyLock::new(|| axiru_policy::starter().unwrap());

/// The day of all stories, at 00:00 UTC: 2026-10-31.
pub(super) const DAY: i64 = 1_793_404_800;

/// A moment of the day, in Unix seconds.
pub(super) fn at(hour: i64, minute: i64) -> i64 {
    DAY + hour * 3_600 + minute * 60
}

/// The night after the day, when the function runs: 03:23 UTC.
pub(super) fn night() -> Timestamp {
    Timestamp::from_secs(DAY + 86_400 + 3 * 3_600 + 23 * 60).unwrap()
}

/// The evening of the day.
pub(super) fn evening() -> Timestamp {
    Timestamp::from_secs(at(20, 0)).unwrap()
}

pub(super) fn scope() -> Scope {
    Scope::new(mode(), ACCOUNT.parse().unwrap())
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// How a shop is set up.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    /// The clock of the function.
    pub(super) clock: fn() -> Timestamp,
    /// Permissions of the app; all where none are given.
    pub(super) permissions: Option<&'static [&'static str]>,
    /// The connection's lanes.
    pub(super) lanes: u16,
    pub(super) retries: Retries,
    /// The time for one task.
    pub(super) budget: Duration,
    /// Longest answer of Stripe's that is read, in bytes.
    pub(super) longest: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            clock: night,
            permissions: None,
            lanes: 1,
            retries: Retries::Off,
            budget: Duration::from_secs(840),
            longest: usize::MAX,
        }
    }
}

pub(super) struct Shop {
    pub(super) account: InProcess,
    pub(super) clients: Clients,
    pub(super) sandbox: Sandbox,
    pub(super) app: App,
    pub(super) observer: Observer,
    /// What heals, by itself.
    pub(super) healer: Healer,
    clock: fn() -> Timestamp,
    lanes: u16,
}

impl Shop {
    pub(super) async fn simple() -> Self {
        Self::new(InProcess::new().unwrap(), Setup::default()).await
    }

    pub(super) async fn new(account: InProcess, setup: Setup) -> Self {
        let Setup { clock, retries, lanes, .. } = setup;
        account.only(mode().as_str(), ACCOUNT);
        let sandbox = Sandbox::new(SandboxConfig { clock: Clock::fixed(DAY), ..SandboxConfig::default() });
        let control = |path: &str, body: Value| sandbox.control("POST", path, body).unwrap();
        let made = json!({"id": ACCOUNT, "business_name": "Shop", "default_currency": "usd", "balance": {"usd": 10_000_000, "eur": 10_000_000}});
        control("accounts", made);
        control("accounts", json!({"id": OTHER, "business_name": "Helper", "platform": ACCOUNT}));
        if let Some(permissions) = setup.permissions {
            control(&format!("apps/{MODE}"), json!({ "permissions": permissions }));
        }
        let clients = crate::acting::clients(&account, retries);
        let reconcile = acting_as("ReconcileRole", &account, retries);
        let store = store_of(&reconcile);
        let asks = AskQueue::new(reconcile.sqs.clone(), local::REFRESH_QUEUE_URL);
        let tokens = Arc::new(TokenReader::new(store.clone(), seal_of(&reconcile), asks).with_clock(clock));
        let base = "https://api.stripe.com".parse().unwrap();
        let transport: Arc<dyn Transport> =
            Arc::new(Bounded { stripe: account.stripe(&sandbox), longest: setup.longest });
        let reach = Arc::new(Reach::new(transport, base, tokens));
        let tasks = TaskQueue::new(reconcile.sqs.clone(), local::RECONCILE_QUEUE_URL);
        let bucket = Bucket::new(reconcile.s3.clone(), local::EXPORT_BUCKET);
        let jobs = JobQueue::new(reconcile.sqs.clone(), local::EXECUTIONS_QUEUE_URL);
        let observer = Observer::new(store.clone()).with_clock(clock).with_jobs(jobs.clone());
        let again = Observer::new(store.clone()).with_clock(clock).with_jobs(jobs);
        let healer = Healer::new(store.clone(), Arc::clone(&reach), again, clock);
        let app = App::new(store, tasks, reach, bucket, observer, clock).with_budget(setup.budget);
        // Webhooks of the day itself.
        let observer = Observer::new(store_of(&acting_as("ObserveRole", &account, retries))).with_clock(evening);
        let shop = Self { account, clients, sandbox, app, observer, healer, clock, lanes };
        // Tokens live for an hour: the one that the function uses.
        shop.clock_at(clock().secs());
        for mode in Mode::ALL {
            shop.connect(mode).await;
        }
        shop.clock_at(DAY);
        shop.listen();
        shop
    }

    /// The rows that connecting leaves behind, with tokens of the app in that mode.
    async fn connect(&self, mode: Mode) {
        let installed = self.sandbox.control("POST", &format!("{mode}/{ACCOUNT}/install"), json!({})).unwrap();
        let tokens = &installed["tokens"];
        self.seal_tokens(mode, tokens["access_token"].as_str().unwrap(), mode).await;
        let heads = STARTER.iter().map(|plan| PlanHead {
            plan: plan.name().to_owned(),
            sha256: plan.sha256().to_owned(),
            policy_mode: PolicyMode::Shadow,
        });
        let heads: PlanHeads = heads.collect();
        let scope = format!("{mode}/{ACCOUNT}").parse().unwrap();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE);
        put.set_item(Some(heads.row(&scope))).send().await.unwrap();
        for plan in STARTER.iter() {
            let document = AttributeValue::B(Blob::new(plan.document()));
            let pk = format!("{mode}#{ACCOUNT}#plan");
            self.put(&[("pk", s(pk)), ("sk", s(plan.sha256())), ("document", document)]).await;
        }
    }

    /// The connection of `mode`, whose token is one of `of`.
    pub(super) async fn seal_tokens(&self, mode: Mode, token: &str, of: Mode) {
        let refresh = format!("rt_{of}_0123456789");
        let tokens =
            json!({"access_token": token, "refresh_token": refresh, "obtained_at": (self.clock)().to_string()});
        let context = SealContext { purpose: Purpose::Tokens, mode, account: Some(ACCOUNT.parse().unwrap()) };
        let sealed = seal_of(&self.clients).seal(&context, tokens.to_string().as_bytes()).await.unwrap();
        let connection = [
            ("pk", s(format!("{mode}#connections"))),
            ("sk", s(ACCOUNT)),
            ("state", s("active")),
            ("lanes", AttributeValue::N(self.lanes.to_string())),
            ("attempt", s("att_1")),
            ("connected_at", s("2026-09-15T00:00:00.000Z")),
            ("tokens", AttributeValue::B(Blob::new(sealed))),
            ("tokens_at", s((self.clock)().to_string())),
        ];
        self.put(&connection).await;
    }

    /// One enforced plan of that policy instead of the starter plans in shadow.
    pub(super) async fn enforce(&self, kind: &str, policies: &str) {
        let plan = json!({"v": 1, "name": "all", "description": "For tests.", "kinds": [kind], "limits": []});
        let plan = axiru_policy::Plan::parse(&plan.to_string(), policies).unwrap_or_else(|error| panic!("{error}"));
        let head = PlanHead {
            plan: plan.name().to_owned(),
            sha256: plan.sha256().to_owned(),
            policy_mode: PolicyMode::Enforce,
        };
        let heads: PlanHeads = [head].into_iter().collect();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE);
        put.set_item(Some(heads.row(&scope()))).send().await.unwrap();
        let document = AttributeValue::B(Blob::new(plan.document()));
        let pk = format!("{MODE}#{ACCOUNT}#plan");
        self.put(&[("pk", s(pk)), ("sk", s(plan.sha256())), ("document", document)]).await;
    }

    pub(super) async fn put(&self, item: &[(&str, AttributeValue)]) {
        let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE).set_item(Some(item));
        put.send().await.unwrap();
    }

    fn listen(&self) {
        let form = "url=https://axiru.example/hook&enabled_events[]=*&connect=true&api_version=2026-06-24.dahlia";
        let (status, _) = self.call(&developer_key(), "POST", "/v1/webhook_endpoints", "", form);
        assert_eq!(status, 200);
    }

    fn call(&self, key: &str, method: &str, path: &str, query: &str, form: &str) -> (u16, Value) {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        let answer = self.sandbox.api(&ApiRequest { method, path, query, headers, body: form.as_bytes().to_vec() });
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    pub(super) fn clock_at(&self, secs: i64) {
        self.sandbox.control("POST", "clock", json!({ "set": secs })).unwrap();
    }

    pub(super) fn control(&self, path: &str) {
        self.sandbox.control("POST", path, json!({})).unwrap();
    }

    /// What a person or a bank does at Stripe, in the story's mode; gives the object's id.
    pub(super) fn does(&self, what: &str, body: Value) -> String {
        let made = self.sandbox.control("POST", &format!("{MODE}/{ACCOUNT}/{what}"), body).unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn refund(&self, amount: i64) -> String {
        let charge = self.does("charges", json!({ "amount": amount }));
        self.does("refunds", json!({ "charge": charge }))
    }

    /// A day of movements of every kind, from morning to evening.
    pub(super) fn day(&self) {
        self.clock_at(at(9, 0));
        self.refund(4_500);
        let euros = self.does("charges", json!({"amount": 700, "currency": "eur"}));
        self.does("refunds", json!({"charge": euros, "amount": 300}));
        self.clock_at(at(11, 0));
        let payout = self.does("payouts", json!({"amount": 20_000}));
        self.does(&format!("payouts/{payout}/status"), json!({"status": "in_transit"}));
        let back = self.does("payouts", json!({"amount": 1_000}));
        self.clock_at(at(14, 0));
        self.does(&format!("payouts/{payout}/status"), json!({"status": "paid"}));
        self.does(&format!("payouts/{back}/status"), json!({"status": "in_transit"}));
        self.does(&format!("payouts/{back}/status"), json!({"status": "failed"}));
        let transfer = self.does("transfers", json!({"amount": 5_000, "destination": OTHER}));
        self.does(&format!("transfers/{transfer}/reversals"), json!({"amount": 1_000}));
        self.clock_at(at(16, 0));
        let disputed = self.does("charges", json!({"amount": 9_000}));
        let dispute = self.does("disputes", json!({ "charge": disputed }));
        self.clock_at(at(17, 0));
        self.does(
            &format!("disputes/{dispute}/evidence"),
            json!({"evidence": {"uncategorized_text": "x"}, "submit": true}),
        );
    }

    /// How many things of the day are compared.
    pub(super) const OF_THE_DAY: u64 = 8;

    /// The deliveries that are due, as reports.
    pub(super) fn delivered(&self) -> Vec<Report> {
        self.sandbox.drain_outbox().iter().filter_map(report).collect()
    }

    /// The webhooks of everything that has happened, observed.
    pub(super) async fn webhooks(&self) {
        self.observe(self.delivered()).await;
    }

    pub(super) async fn observe(&self, reports: Vec<Report>) {
        for outcome in self.observer.observe(reports).await {
            assert!(matches!(outcome.unwrap(), Observed::Recorded(_)));
        }
    }

    /// Does one task, as Lambda hands it over; true when it is done.
    pub(super) async fn task(&self, task: &Task) -> bool {
        let record = json!({"messageId": "m1", "body": serde_json::to_string(task).unwrap()});
        let answer = handle(&self.app, &json!({"Records": [record]})).await.unwrap();
        answer["batchItemFailures"].as_array().unwrap().is_empty()
    }

    /// The whole night: the schedule, then every task that it queued for the story's mode.
    pub(super) async fn night(&self) {
        handle(&self.app, &json!({"source": "aws.events"})).await.unwrap();
        for body in self.account.queued(local::RECONCILE_QUEUE_URL) {
            let task: Task = serde_json::from_str(&body).unwrap();
            if task.scope.mode() == mode() {
                assert!(self.task(&task).await, "{body}");
            }
        }
    }

    pub(super) fn store(&self) -> Store {
        store_of(&self.clients)
    }

    pub(super) async fn entries(&self, log: &str) -> Vec<Entry> {
        self.store().entries(&LogId::from_key(log).unwrap(), 0, 100_000).await.unwrap()
    }

    /// The entries of the log, in one unbroken chain.
    pub(super) async fn told(&self) -> Vec<Entry> {
        let entries = self.entries(&log()).await;
        let mut tip = Tip::EMPTY;
        for entry in &entries {
            assert_eq!((entry.seq(), entry.prev()), (tip.seq, tip.prev));
            tip = entry.next_tip();
        }
        entries
    }

    /// The reports' entries, each with its report: the file is there, and has the hash that the entry names.
    pub(super) async fn reports(&self) -> Vec<(Entry, Value)> {
        let files = self.account.objects(local::EXPORT_BUCKET);
        let mut reports = Vec::new();
        for entry in self.told().await.into_iter().filter(|entry| entry.ty() == "reconcile.reported") {
            let (period, sha256) = (text(&entry, "period"), text(&entry, "report_sha256"));
            let bytes = &files[&format!("v1/{MODE}/{ACCOUNT}/reconcile/{period}/{sha256}.json")];
            assert_eq!(axiru_ledger::hash::Hash::of(bytes).to_string(), sha256);
            reports.push((entry, axiru_ledger::canonical::read(bytes).unwrap()));
        }
        reports
    }

    /// The only report.
    pub(super) async fn report(&self) -> Value {
        let mut reports = self.reports().await;
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports.pop().unwrap().1
    }
}

/// Stripe, of whose answers only the shorter ones are read: production's bound is a megabyte.
struct Bounded {
    stripe: local::Stripe,
    longest: usize,
}

impl Transport for Bounded {
    fn send(&self, request: http::Request<bytes::Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let answer = self.stripe.send(request).await?;
            if answer.body().len() > self.longest { Err(TransportError::TooLong) } else { Ok(answer) }
        })
    }
}

/// The report that a delivery becomes; none where it is none of Axiru's business.
pub(super) fn report(delivery: &SignedDelivery) -> Option<Report> {
    match project(&delivery.body, mode()).unwrap() {
        Projected::Report(report) => Some(*report),
        Projected::Ignored(_) => None,
    }
}

fn seal_of(clients: &Clients) -> Seal {
    Seal::new(clients.kms.clone(), local::SEAL_KEY_ID)
}

pub(super) fn text(entry: &Entry, name: &str) -> String {
    entry.fields().get(name).and_then(Value::as_str).unwrap_or("-").to_owned()
}

/// What entries tell of movements and disputes, sorted: whatever the order in which they were told.
pub(super) fn told_of(entries: &[Entry]) -> Vec<String> {
    let about = entries.iter().filter(|entry| entry.ty().starts_with("movement.") || entry.ty() == "fact.recorded");
    let mut told: Vec<String> = about
        .map(|entry| {
            // Of a movement the id of its event is by chance: two events tell of its beginning.
            let more = if entry.ty() == "fact.recorded" { text(entry, "event") } else { text(entry, "status") };
            format!("{} {} {} {more}", entry.ty(), text(entry, "kind"), text(entry, "object"))
        })
        .collect();
    told.sort();
    told
}

/// `matched, only_stripe, only_ledger, different`, as the entry has them.
pub(super) fn numbers(entry: &Entry) -> [u64; 4] {
    ["matched", "only_stripe", "only_ledger", "different"].map(|name| entry.fields()[name].as_u64().unwrap())
}

/// The objects that a part of a report names.
pub(super) fn objects(report: &Value, part: &str) -> Vec<String> {
    report[part].as_array().unwrap().iter().map(|item| item["object"].as_str().unwrap().to_owned()).collect()
}
