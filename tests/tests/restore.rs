//! The restore drill: both tables go back to an earlier moment, in a deployment that has moved money since. Nothing is made twice, no second
//! history is signed, and what was lost is found.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::Store;
use axiru_aws::export::{Bucket, Exporter, Signer};
use axiru_aws::ledger::{CommitError, Writes};
use axiru_aws::restore::{RestoreError, Restored, Restorer, exported};
use axiru_domain::{Actor, Lane, LogId, RequestId, Timestamp};
use axiru_in_process as local;
use axiru_in_process::{Fault, Retries};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_ledger::verify::{Folder, Trusted, parse_keys, verify};
use serde_json::json;

use crate::acting::{acting_as, store_of};
use crate::gateway::ground::{Ground, now, pass, scope};

const SOURCE_STATE: &str = "restored-state";
const SOURCE_LEDGER: &str = "restored-ledger";

type Row = std::collections::HashMap<String, AttributeValue>;

/// Both tables as they are at a moment.
struct Moment {
    at: Timestamp,
    state: Vec<Row>,
    ledger: Vec<Row>,
}

async fn all(ground: &Ground, table: &str) -> Vec<Row> {
    let scan = ground.account.dynamodb(Retries::Off).scan().table_name(table).consistent_read(true);
    scan.send().await.unwrap().items.unwrap_or_default()
}

/// Rows in an order, so that tables can be compared.
async fn sorted(ground: &Ground, table: &str) -> BTreeMap<String, Row> {
    let place = |row: &Row| format!("{:?} {:?} {:?}", row.get("pk"), row.get("sk"), row.get("seq"));
    all(ground, table).await.into_iter().map(|row| (place(&row), row)).collect()
}

async fn moment(ground: &Ground) -> Moment {
    let (state, ledger) = (all(ground, local::STATE_TABLE).await, all(ground, local::LEDGER_TABLE).await);
    Moment { at: now(), state, ledger }
}

async fn fill(ground: &Ground, table: &str, rows: &[Row]) {
    for row in rows {
        let put = ground.account.dynamodb(Retries::Off).put_item().table_name(table).set_item(Some(row.clone()));
        put.send().await.unwrap();
    }
}

async fn empty(ground: &Ground, table: &str, sort: &str) {
    for mut row in all(ground, table).await {
        row.retain(|name, _| name == "pk" || name == sort);
        let delete = ground.account.dynamodb(Retries::Off).delete_item().table_name(table).set_key(Some(row));
        delete.send().await.unwrap();
    }
}

/// What DynamoDB makes of a restore: two tables more, as they were.
async fn restored_tables(ground: &Ground, moment: &Moment) {
    for (name, sort, kind) in [(SOURCE_STATE, "sk", "S"), (SOURCE_LEDGER, "seq", "N")] {
        let definition = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": sort, "AttributeType": kind}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
        });
        ground.account.create_table(&definition).unwrap();
    }
    fill(ground, SOURCE_STATE, &moment.state).await;
    fill(ground, SOURCE_LEDGER, &moment.ledger).await;
}

/// Puts both tables back as they were, as somebody would who knows nothing of what that does.
async fn put_back(ground: &Ground, moment: &Moment) {
    empty(ground, local::STATE_TABLE, "sk").await;
    empty(ground, local::LEDGER_TABLE, "seq").await;
    fill(ground, local::STATE_TABLE, &moment.state).await;
    fill(ground, local::LEDGER_TABLE, &moment.ledger).await;
}

fn log() -> LogId {
    LogId { scope: scope(), lane: Lane::ZERO }
}

async fn export(ground: &Ground) -> Result<u64, String> {
    let clients = acting_as("ExportRole", &ground.account, Retries::Off);
    let (store, bucket) = (store_of(&clients), Bucket::new(clients.s3, local::EXPORT_BUCKET));
    let exporter =
        Exporter::new(store, bucket, Signer::new(clients.kms, local::SIGNING_KEY_ID), "drill", 0).with_clock(now);
    exporter.export(&log()).await.map(|done| done.size).map_err(|error| error.to_string())
}

/// The exported files by name.
struct Copy(BTreeMap<String, Vec<u8>>);

impl Folder for Copy {
    fn names(&self) -> std::io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }
}

fn copy(ground: &Ground) -> Copy {
    let objects = ground.account.objects(local::EXPORT_BUCKET);
    Copy(objects.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect())
}

fn is_sound(copy: &Copy) -> bool {
    let trusted = Trusted::keys(parse_keys(&copy.0["v1/log.vkey"]).unwrap());
    let report = verify(copy, &trusted, &mut |_| {}).unwrap();
    assert!(report.passed(), "{:?}", report.faults);
    true
}

/// The tool, from the restored tables into those that the functions use.
async fn restore(ground: &Ground, at: Timestamp) -> Result<Restored, RestoreError> {
    let client = ground.account.dynamodb(Retries::Off);
    let source = Store::new(client.clone(), SOURCE_STATE, SOURCE_LEDGER);
    let copy = copy(ground);
    assert!(is_sound(&copy));
    Restorer::new(source, ground.store(), at, now()).run(exported(&copy).unwrap()).await
}

/// Appends what an operator did.
async fn act(ground: &Ground, ty: EntryType, fields: serde_json::Value) {
    let fields = fields.as_object().cloned().unwrap();
    let draft = Draft { log: log(), actor: Actor::Axiru, ty, fields };
    let plan = || async { Ok::<_, CommitError>(Writes { drafts: vec![draft.clone()], rows: Vec::new() }) };
    ground.store().commit(&log(), now, plan).await.unwrap();
}

async fn statuses(ground: &Ground) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for row in all(ground, local::STATE_TABLE).await {
        if row["sk"] == AttributeValue::S("request".to_owned()) {
            *count.entry(row["status"].as_s().unwrap().clone()).or_default() += 1;
        }
    }
    count
}

/// A day: money moves, a restore point, more money moves; some of it is exported, some not, and one answer of Stripe is lost.
async fn day() -> (Ground, Moment) {
    let ground = Ground::enforcing().await;
    let s = |text: &str| AttributeValue::S(text.to_owned());
    ground.put(&[("pk", s("test#keys")), ("sk", s("another")), ("state", s("active"))]).await;
    ground.put(&[("pk", s("test#setup_link#00")), ("sk", s("link")), ("state", s("minted"))]).await;
    assert_eq!(ground.refund("k1", 500).await.status, 200);
    assert_eq!(ground.refund("held", 20_000).await.word(), "approval_required");
    assert_eq!(ground.refund("held-too", 30_000).await.word(), "approval_required");
    export(&ground).await.unwrap();
    let moment = moment(&ground).await;

    pass(600).await;
    assert_eq!(ground.refund("k2", 600).await.status, 200);
    // Stripe makes it, and its answer is lost.
    ground.account.faults().always("POST /v1/refunds", Fault::ApplyThenTimeOut);
    assert_eq!(ground.refund("k3", 700).await.word(), "axiru_outcome_unknown");
    ground.account.faults().clear();
    act(&ground, EntryType::KeyRevoked, json!({"change": "chg_9", "key": "another", "key_actor": "agent:ag_9"})).await;
    let (request, before) = (id("held-too"), "pending");
    let cancelled = json!({"request": request, "before": before, "reason": "operator"});
    act(&ground, EntryType::ApprovalCancelled, cancelled).await;
    export(&ground).await.unwrap();
    // What is in no export.
    assert_eq!(ground.refund("k4", 800).await.status, 200);
    (ground, moment)
}

fn id(idempotency_key: &str) -> String {
    RequestId::of(&scope(), &"agent:ag_1".parse().unwrap(), &idempotency_key.parse().unwrap()).to_string()
}

#[tokio::test(start_paused = true)]
async fn two_tables_that_agree_about_an_earlier_moment_are_not_signed_on_from() {
    let (ground, moment) = day().await;
    put_back(&ground, &moment).await;
    let before = copy(&ground).0;
    // Nothing new: nothing to sign, and nothing to see yet.
    let size = export(&ground).await.unwrap();
    // A second history would begin here.
    assert_eq!(ground.refund("k5", 900).await.status, 200);
    let refused = export(&ground).await.unwrap_err();
    assert!(refused.contains(&format!("has {size} entries, but")), "{refused}");
    assert_eq!(copy(&ground).0, before, "nothing was signed or written");
    let closed = export(&ground).await.unwrap_err();
    assert!(closed.contains("closed for signing since `rollback"), "{closed}");
    assert!(is_sound(&copy(&ground)));
}

#[tokio::test(start_paused = true)]
async fn the_drill_brings_everything_back_and_nothing_is_made_twice() {
    let (ground, moment) = day().await;
    let made = ground.made_refunds().len();
    assert_eq!(made, 4, "k1, k2, k3, k4");
    let exported_before = copy(&ground).0;
    let ledger_before = ground.entries().await;

    // The tables are lost, and restored to the moment, under other names; new ones are empty.
    restored_tables(&ground, &moment).await;
    empty(&ground, local::STATE_TABLE, "sk").await;
    empty(&ground, local::LEDGER_TABLE, "seq").await;
    let ground = ground.restarted();
    assert_ne!(ground.refund("k1", 500).await.status, 200, "nothing is accepted by empty tables");

    let done = restore(&ground, moment.at).await.unwrap();
    assert!(done.from_export > 0, "{done:?}");
    assert_eq!((done.made_known, done.ended, done.over), (2, 1, 1), "k2 and k3; held-too; held: {done:?}");
    assert_eq!((done.keys_revoked, done.left_out), (1, 1), "{done:?}");
    let ledger = ground.entries().await;
    assert_eq!(ledger[..], ledger_before[..ledger.len()], "the ledger up to what was signed, to the byte");
    assert!(ledger.len() < ledger_before.len(), "what was in no export is lost");
    // A second run finds everything there.
    let (state, entries) = (sorted(&ground, local::STATE_TABLE).await, sorted(&ground, local::LEDGER_TABLE).await);
    restore(&ground, moment.at).await.unwrap();
    assert_eq!(
        (sorted(&ground, local::STATE_TABLE).await, sorted(&ground, local::LEDGER_TABLE).await),
        (state, entries)
    );

    // It comes up stopped: nothing new, and nothing again.
    for (key, amount) in [("k5", 900), ("k4", 800)] {
        assert_eq!(ground.refund(key, amount).await.word(), "axiru_stopped", "{key}");
    }
    assert_eq!(ground.made_refunds().len(), made);
    // The exporter goes on where it was, and what it writes continues what there was.
    export(&ground).await.unwrap();
    ground.sweep().await.unwrap();
    export(&ground).await.unwrap();
    let files = copy(&ground);
    assert!(is_sound(&files));
    for (name, bytes) in &exported_before {
        let replaced = name.ends_with("/checkpoint") || name.contains(".p/");
        assert!(replaced || files.0.get(name) == Some(bytes), "{name} was rewritten");
    }

    // The outcome that was never heard of is found at Stripe; what waited is over; what was cancelled stays so.
    let now_are = statuses(&ground).await;
    let expected = [("succeeded", 3), ("expired", 1), ("cancelled", 1)];
    assert_eq!(now_are, expected.map(|(status, count)| (status.to_owned(), count)).into());

    // What Stripe lists tells the rest.
    let told = ground.observe(ground.events()).await.unwrap();
    assert!(!told.is_empty());
    assert_eq!(ground.made_refunds().len(), made);

    // Two persons have started it. The callers send again what they are not sure of: everything.
    ground.turn_switch("*", false).await;
    for (key, amount) in [("k1", 500), ("k2", 600), ("k3", 700)] {
        let again = ground.refund(key, amount).await;
        assert_eq!(again.status, 200, "{key}: {}", again.text);
    }
    // Of this one nothing is recorded. It is decided anew and sent under its key of before, with another receipt: Stripe refuses that, and makes
    // nothing. What was made bears the receipt of an entry that is gone, so it is not believed to be the outcome; but as long as it is there, nobody
    // is told that nothing was made.
    assert_eq!(ground.refund("k4", 800).await.word(), "axiru_outcome_unknown");
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_secs(360)).await;
        ground.sweep().await.unwrap();
    }
    assert_eq!(ground.refund("k4", 800).await.word(), "axiru_outcome_unknown");
    assert_eq!(ground.made_refunds().len(), made, "nothing was made twice");
    // And what is new is made.
    assert_eq!(ground.refund("k6", 900).await.status, 200);
    assert_eq!(ground.made_refunds().len(), made + 1);
    export(&ground).await.unwrap();
    assert!(is_sound(&copy(&ground)));
}

#[tokio::test(start_paused = true)]
async fn while_it_is_restored_nothing_is_signed_and_no_log_is_foreign() {
    let (ground, _) = day().await;
    let before = copy(&ground).0;
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let key = log().key();
    let held_back = [("pk", s(&key)), ("sk", s("export")), ("restoring", AttributeValue::Bool(true))];
    ground.put(&held_back).await;
    // Neither with its connection, nor before there is one.
    assert_eq!(export(&ground).await.unwrap(), 0);
    empty(&ground, local::STATE_TABLE, "sk").await;
    ground.put(&held_back).await;
    let clients = acting_as("ExportRole", &ground.account, Retries::Off);
    let (store, bucket) = (store_of(&clients), Bucket::new(clients.s3, local::EXPORT_BUCKET));
    let signer = Signer::new(clients.kms, local::SIGNING_KEY_ID);
    let app = axiru_fn_export::App::new(Exporter::new(store, bucket, signer, "drill", 0).with_clock(now));
    let keys = json!({"pk": {"S": key}, "seq": {"N": "0"}});
    let record = json!({"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {"Keys": keys}});
    let answer = axiru_fn_export::handle(&app, &json!({"Records": [record]})).await.unwrap();
    assert_eq!(answer["sizes"], json!({}));
    assert_eq!(copy(&ground).0, before);
    assert_eq!(all(&ground, local::STATE_TABLE).await.len(), 1, "no alarm is noted");
}

#[tokio::test(start_paused = true)]
async fn a_restore_refuses_what_the_export_does_not_say() {
    let (ground, mut moment) = day().await;
    // Somebody changed an entry in the table that the restore was made from.
    let other = moment.ledger.iter().position(|row| row["seq"] == AttributeValue::N("0".to_owned())).unwrap();
    let entry = String::from_utf8(moment.ledger[other]["entry"].as_b().unwrap().as_ref().to_vec()).unwrap();
    let forged = entry.replace(r#""amount_minor":500,"#, r#""amount_minor":501,"#);
    assert_ne!(forged, entry);
    moment.ledger[other].insert("entry".to_owned(), AttributeValue::B(forged.into_bytes().into()));
    restored_tables(&ground, &moment).await;
    empty(&ground, local::STATE_TABLE, "sk").await;
    empty(&ground, local::LEDGER_TABLE, "seq").await;
    let refused = restore(&ground, moment.at).await.unwrap_err();
    assert!(matches!(refused, RestoreError::Differs { seq: 0, place: "the source", .. }), "{refused}");
    // Whatever came to life before that is stopped, and no account is connected.
    assert!(all(&ground, local::LEDGER_TABLE).await.is_empty());
    let rows = all(&ground, local::STATE_TABLE).await;
    assert!(
        rows.iter().all(|row| row["pk"].as_s().unwrap().ends_with("#switches") || row.contains_key("restoring")),
        "{rows:?}"
    );
}
