//! Logs in one process that are filled without going through Stripe: the real store, exporter and heart.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::export::{Bucket, Exporter, Signer};
use axiru_aws::heartbeat::{Beaten, Heart};
use axiru_aws::ledger::{CommitError, Writes};
use axiru_aws::{Clients, Store};
use axiru_domain::{Actor, LogId, Mode, Timestamp};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_ledger::entry::{Draft, Entry};
use axiru_ledger::types::EntryType;
use axiru_ledger::verify::{Folder, Report, Trusted, parse_keys, verify};
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};

pub(super) const ACCOUNT: &str = "acct_1";

/// The log that most stories are about: live has two lanes, test has one.
pub(super) const LOG: &str = "live#acct_1#0";

/// Entries of one transaction.
const AT_ONCE: usize = 90;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Noon of three days in a row; the second is the leap day.
pub(super) fn first_day() -> Timestamp {
    at("2028-02-28T12:00:00.000Z")
}

pub(super) fn leap_day() -> Timestamp {
    at("2028-02-29T12:00:00.000Z")
}

pub(super) fn third_day() -> Timestamp {
    at("2028-03-01T12:00:00.000Z")
}

pub(super) fn log() -> LogId {
    LogId::from_key(LOG).unwrap()
}

/// One process of a deployment in which [`ACCOUNT`] is connected in both modes.
pub(super) struct Ground {
    pub(super) account: InProcess,
    pub(super) clients: Clients,
    retries: Retries,
}

impl Ground {
    pub(super) async fn new(account: InProcess, retries: Retries) -> Self {
        Self::with(account, retries, &[(Mode::Test, 1), (Mode::Live, 2)]).await
    }

    /// With these modes connected, each with so many lanes.
    pub(super) async fn with(account: InProcess, retries: Retries, modes: &[(Mode, u16)]) -> Self {
        let clients = crate::acting::clients(&account, retries);
        let ground = Self { account, clients, retries };
        for (mode, lanes) in modes {
            ground.connect(*mode, *lanes).await;
        }
        ground
    }

    pub(super) async fn connect(&self, mode: Mode, lanes: u16) {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.clients.dynamodb.put_item().table_name(local::STATE_TABLE);
        let put = put.item("pk", s(&format!("{mode}#connections"))).item("sk", s(ACCOUNT)).item("state", s("active"));
        let put = put.item("lanes", AttributeValue::N(lanes.to_string())).item("attempt", s("att_1"));
        put.item("connected_at", s("2028-01-01T00:00:00.000Z")).send().await.unwrap();
    }

    pub(super) fn store(&self) -> Store {
        Store::new(self.clients.dynamodb.clone(), local::STATE_TABLE, local::LEDGER_TABLE)
    }

    pub(super) fn exporter(&self, clock: fn() -> Timestamp) -> Exporter {
        let export = acting_as("ExportRole", &self.account, self.retries);
        let store = store_of(&export);
        let bucket = Bucket::new(export.s3, local::EXPORT_BUCKET);
        let signer = Signer::new(export.kms, local::SIGNING_KEY_ID);
        Exporter::new(store, bucket, signer, "ground", 0).with_clock(clock)
    }

    /// Exports every log.
    pub(super) async fn export(&self, clock: fn() -> Timestamp) -> Result<(), String> {
        let exporter = self.exporter(clock);
        for log in exporter.logs().await.map_err(|error| error.to_string())? {
            exporter.export(&log).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub(super) async fn beat(&self, clock: fn() -> Timestamp) -> Result<(), String> {
        for mode in Mode::ALL {
            let Beaten { failed, .. } =
                Heart::new(store_of(&acting_as("SweepRole", &self.account, self.retries)), clock)
                    .run(mode)
                    .await
                    .map_err(|error| error.to_string())?;
            if failed > 0 {
                return Err(format!("{failed} heartbeats failed"));
            }
        }
        Ok(())
    }

    /// Appends entries numbered `from..to`.
    pub(super) async fn append(&self, log: &str, numbers: std::ops::Range<usize>, clock: fn() -> Timestamp) {
        let log = LogId::from_key(log).unwrap();
        let numbers: Vec<_> = numbers.collect();
        for numbers in numbers.chunks(AT_ONCE) {
            let drafts: Vec<_> = numbers.iter().map(|number| draft(&log, *number)).collect();
            let plan = || async { Ok::<_, CommitError>(Writes { drafts: drafts.clone(), rows: Vec::new() }) };
            self.store().commit(&log, clock, plan).await.unwrap();
        }
    }

    pub(super) async fn entries(&self, log: &str) -> Vec<Entry> {
        self.store().entries(&LogId::from_key(log).unwrap(), 0, 100_000).await.unwrap()
    }

    /// The exported files.
    pub(super) fn copy(&self) -> Copy {
        let objects = self.account.objects(local::EXPORT_BUCKET);
        Copy(objects.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect())
    }

    /// Writes a row of the ledger table as nobody may.
    pub(super) async fn overwrite(&self, log: &str, seq: u64, bytes: &[u8]) {
        let put = self.clients.dynamodb.put_item().table_name(local::LEDGER_TABLE);
        let put = put.item("pk", AttributeValue::S(log.to_owned())).item("seq", AttributeValue::N(seq.to_string()));
        put.item("entry", AttributeValue::B(bytes.to_vec().into())).send().await.unwrap();
    }

    pub(super) async fn remove(&self, log: &str, seq: u64) {
        let delete = self.clients.dynamodb.delete_item().table_name(local::LEDGER_TABLE);
        let delete = delete.key("pk", AttributeValue::S(log.to_owned()));
        delete.key("seq", AttributeValue::N(seq.to_string())).send().await.unwrap();
    }
}

/// An entry that is about something else for each number.
pub(super) fn draft(log: &LogId, number: usize) -> Draft {
    let fields = json!({
        "kind": "refund", "object": format!("re_{number}"), "ordinal": 0, "status": "failed", "late": false,
        "failure_code": null, "event": format!("evt_{number}"), "event_type": "refund.updated",
        "event_at": "2028-02-28T11:00:00.000Z", "amount_minor": number, "currency": "usd",
    });
    let Value::Object(fields) = fields else { panic!("no object") };
    Draft { log: log.clone(), actor: Actor::External, ty: EntryType::MovementChanged, fields }
}

/// Exported files by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Copy(pub(super) BTreeMap<String, Vec<u8>>);

impl Copy {
    /// The keys that the deployment shows.
    pub(super) fn trusted(&self) -> Trusted {
        Trusted::keys(parse_keys(&self.0["v1/log.vkey"]).unwrap())
    }

    pub(super) fn check(&self, trusted: &Trusted) -> Report {
        verify(self, trusted, &mut |_| {}).unwrap()
    }

    /// Checked with its own keys: nothing wrong, or what is.
    pub(super) fn sound(&self) -> Result<Report, String> {
        let report = self.check(&self.trusted());
        if report.passed() { Ok(report) } else { Err(format!("{:?}", report.faults)) }
    }

    /// The files of a log, without its folder.
    pub(super) fn of(&self, log: &str) -> BTreeMap<&str, &[u8]> {
        let folder = format!("v1/{}/", log.replace('#', "/"));
        let files = self.0.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(&folder)?, bytes.as_slice())));
        files.collect()
    }
}

impl Folder for Copy {
    fn names(&self) -> std::io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }
}
