//! A connected account in one process: the real handlers and SDK clients, no network.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::export::{Bucket, Exporter, Signer};
use axiru_aws::observe::{ObserveError, Observed, Observer};
use axiru_aws::plans::{PlanHead, PlanHeads};
use axiru_aws::seal::{Purpose, Seal, SealContext};
use axiru_aws::{Clients, Store};
use axiru_domain::{LogId, Mode, PolicyMode, Timestamp};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_ledger::entry::Entry;
use axiru_ledger::note::VerifierKey;
use axiru_ledger::verify::{Folder, Report as Verified, Trusted, parse_keys, verify};
use axiru_stripe::report::Report;

use crate::acting::{acting_as, store_of};
use crate::played::MODE;

/// The signing secret of the endpoint of each mode.
pub(super) const SECRET: &str = "whsec_ground";

/// The connected account.
pub(super) const ACCOUNT: &str = "acct_1";

/// The key of its log, in the story's mode.
pub(super) fn log() -> String {
    format!("{MODE}#{ACCOUNT}#0")
}

/// The starter plans, validated once for all grounds of a test program.
static STARTER: LazyLock<Vec<axiru_policy::Plan>> = LazyLock::new(|| axiru_policy::starter().unwrap());

/// 2026-10-31, a minute before midnight UTC.
pub(super) fn evening() -> Timestamp {
    Timestamp::from_millis(1_793_491_140_000).unwrap()
}

/// Two minutes later, on the next day.
pub(super) fn morning() -> Timestamp {
    Timestamp::from_millis(1_793_491_260_000).unwrap()
}

/// The head of a plan.
pub(super) fn head(plan: &str, sha256: &str, policy_mode: PolicyMode) -> PlanHead {
    PlanHead { plan: plan.to_owned(), sha256: sha256.to_owned(), policy_mode }
}

/// One process of a deployment in which [`ACCOUNT`] is connected in both modes.
pub(super) struct Ground {
    pub(super) account: InProcess,
    pub(super) clients: Clients,
    pub(super) retries: Retries,
}

impl Ground {
    /// A fresh account with one lane.
    pub(super) async fn new(account: InProcess, retries: Retries) -> Self {
        let clients = crate::acting::clients(&account, retries);
        let ground = Self { account, clients, retries };
        for mode in Mode::ALL {
            ground.connect(mode).await;
        }
        ground
    }

    /// The rows that connecting leaves behind.
    async fn connect(&self, mode: Mode) {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let connection = [
            ("pk", s(&format!("{mode}#connections"))),
            ("sk", s(ACCOUNT)),
            ("state", s("active")),
            ("lanes", AttributeValue::N("1".to_owned())),
            ("attempt", s("att_1")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
            ("tokens", AttributeValue::B(Blob::new(*b"sealed"))),
        ];
        self.put(&connection).await;
        let heads: PlanHeads =
            STARTER.iter().map(|plan| head(plan.name(), plan.sha256(), PolicyMode::Shadow)).collect();
        let scope = format!("{mode}/{ACCOUNT}").parse().unwrap();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE);
        put.set_item(Some(heads.row(&scope))).send().await.unwrap();
        for plan in STARTER.iter() {
            let document = [
                ("pk", s(&format!("{mode}#{ACCOUNT}#plan"))),
                ("sk", s(plan.sha256())),
                ("document", AttributeValue::B(Blob::new(plan.document()))),
            ];
            self.put(&document).await;
        }
        self.put_secrets(mode, &[SECRET]).await;
    }

    /// The signing secrets of a mode's endpoint.
    pub(super) async fn put_secrets(&self, mode: Mode, secrets: &[&str]) {
        let context = SealContext { purpose: Purpose::WebhookSecret, mode, account: None };
        let mut sealed = Vec::new();
        for secret in secrets {
            let bytes = self.seal().seal(&context, secret.as_bytes()).await.unwrap();
            sealed.push(AttributeValue::B(Blob::new(bytes)));
        }
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let endpoint = [
            ("pk", s(&format!("{mode}#endpoint"))),
            ("sk", s("connect")),
            ("endpoint", s("we_1")),
            ("secrets", AttributeValue::L(sealed)),
        ];
        self.put(&endpoint).await;
    }

    pub(super) async fn put(&self, item: &[(&str, AttributeValue)]) {
        let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE).set_item(Some(item));
        put.send().await.unwrap();
    }

    pub(super) fn seal(&self) -> Seal {
        Seal::new(self.clients.kms.clone(), local::SEAL_KEY_ID)
    }

    pub(super) fn store(&self) -> Store {
        Store::new(self.clients.dynamodb.clone(), local::STATE_TABLE, local::LEDGER_TABLE)
    }

    pub(super) fn observer(&self, clock: fn() -> Timestamp) -> Observer {
        Observer::new(store_of(&acting_as("ObserveRole", &self.account, self.retries))).with_clock(clock)
    }

    pub(super) fn exporter(&self) -> Exporter {
        self.exporter_at(morning)
    }

    /// An exporter by another clock.
    pub(super) fn exporter_at(&self, clock: fn() -> Timestamp) -> Exporter {
        let export = acting_as("ExportRole", &self.account, self.retries);
        let store = store_of(&export);
        let bucket = Bucket::new(export.s3, local::EXPORT_BUCKET);
        let signer = Signer::new(export.kms, local::SIGNING_KEY_ID);
        Exporter::new(store, bucket, signer, "ground", 0).with_clock(clock)
    }

    pub(super) fn webhook(&self) -> axiru_fn_webhook::App {
        let webhook = acting_as("WebhookRole", &self.account, self.retries);
        axiru_fn_webhook::App::new(&webhook, local::STATE_TABLE, local::SEAL_KEY_ID, local::OBSERVATIONS_QUEUE_URL)
    }

    /// Every entry of a log, straight from the table.
    pub(super) async fn entries(&self, log: &str) -> Vec<Entry> {
        self.store().entries(&LogId::from_key(log).unwrap(), 0, 10_000).await.unwrap()
    }

    /// What waits in the queue, as SQS would hand it over.
    pub(super) fn messages(&self) -> SqsEvent {
        let mut event = SqsEvent::default();
        for (i, body) in self.account.queued(local::OBSERVATIONS_QUEUE_URL).into_iter().enumerate() {
            let mut message = SqsMessage::default();
            message.message_id = Some(format!("m{i}"));
            message.body = Some(body);
            event.records.push(message);
        }
        event
    }

    /// The export, checked with the key that the deployment shows.
    pub(super) fn verified(&self) -> Verified {
        let copy = self.copy();
        let keys: Vec<VerifierKey> = parse_keys(&copy.0["v1/log.vkey"]).unwrap();
        verify(&copy, &Trusted::keys(keys), &mut |_| {}).unwrap()
    }

    /// The exported files.
    pub(super) fn copy(&self) -> Copy {
        let objects = self.account.objects(local::EXPORT_BUCKET);
        Copy(objects.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect())
    }
}

/// Exported files by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy(pub(super) BTreeMap<String, Vec<u8>>);

impl Folder for Copy {
    fn names(&self) -> std::io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }
}

/// Observes all, one error for any.
pub(super) async fn observe(observer: &Observer, reports: Vec<Report>) -> Result<Vec<Observed>, ObserveError> {
    observer.observe(reports).await.into_iter().collect()
}

/// Type, object and status of every entry about a movement, sorted: what a log tells whatever the order.
pub(super) fn told(entries: &[Entry]) -> Vec<String> {
    let text = |entry: &Entry, name: &str| entry.fields()[name].as_str().unwrap_or("-").to_owned();
    let movements = entries.iter().filter(|entry| entry.ty().starts_with("movement."));
    let mut told: Vec<_> = movements
        .map(|entry| {
            // The first status is known only where the announcing event came first.
            let status = if entry.ty() == "movement.changed" { text(entry, "status") } else { String::new() };
            format!("{} {} {} {status}", entry.ty(), text(entry, "kind"), text(entry, "object"))
        })
        .collect();
    told.sort();
    told
}
