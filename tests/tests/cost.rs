//! What it costs, computed from what the functions really write, read and call, and compared with `docs/cost.md`.
//!
//! Every flow runs once to warm up and is then measured: capacity units as DynamoDB counts them (a write by started KB, twice in a
//! transaction, once more for an index; a read by started 4 KB, half where it need not be consistent), and calls of other services.
//! `AXIRU_WRITE_COST=1` writes the table anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use axiru_aws::export::{Bucket, Exporter, Signer};
use axiru_domain::{Choice, Lane, LogId};
use axiru_in_process as local;
use axiru_in_process::{Call, Calls, Retries, Service};
use serde_json::json;

use crate::acting::{acting_as, store_of};
use crate::approvals::ground::{ANNA, Room, now, pass, scope};
use crate::played::MODE;
use crate::template::expanded::resources;

/// Prices in us-east-1, in millionths of a dollar for a million of each: list prices without a free tier, DynamoDB on demand after November
/// 2024, Lambda on arm64.
mod price {
    pub(super) const WRITE_UNIT: f64 = 0.625;
    pub(super) const READ_UNIT: f64 = 0.125;
    pub(super) const API_CALL: f64 = 1.00;
    pub(super) const LAMBDA_CALL: f64 = 0.20;
    /// For a million GB seconds.
    pub(super) const LAMBDA_GB_SECOND: f64 = 13.333_4;
    pub(super) const KMS_CALL: f64 = 3.00;
    pub(super) const KMS_SIGNATURE: f64 = 15.00;
    pub(super) const SQS_STANDARD: f64 = 0.40;
    pub(super) const SQS_FIFO: f64 = 0.50;
    pub(super) const S3_PUT: f64 = 5.00;
    pub(super) const S3_GET: f64 = 0.40;
}

/// How a flow is run on AWS: by a caller over the API, for how long, in how much memory. Times are assumptions, said in the document.
struct Run {
    name: &'static str,
    api_calls: f64,
    lambda_calls: f64,
    lambda_ms: f64,
    memory_mb: f64,
    /// Messages that the event source receives and deletes.
    standard: f64,
    fifo: f64,
}

impl Run {
    const fn called(name: &'static str, lambda_ms: f64) -> Self {
        Self { name, api_calls: 1.0, lambda_calls: 1.0, lambda_ms, memory_mb: 512.0, standard: 0.0, fifo: 0.0 }
    }

    const fn in_background(name: &'static str, lambda_ms: f64, memory_mb: f64) -> Self {
        Self { name, api_calls: 0.0, lambda_calls: 1.0, lambda_ms, memory_mb, standard: 0.0, fifo: 0.0 }
    }
}

fn count(calls: &Calls, is: impl Fn(&Call) -> bool) -> f64 {
    calls.0.iter().filter(|call| is(call)).count() as f64
}

/// One line of the table: what a flow needs, and what a million of it costs.
fn line(run: &Run, calls: &Calls) -> String {
    let tables = calls.of(Service::DynamoDb);
    // A sum of nothing is minus nothing.
    let (writes, reads) = (tables.write_units() + 0.0, tables.read_units() + 0.0);
    let operation = |service, name: &'static str| move |call: &Call| call.service == service && call.operation == name;
    let signatures = count(calls, operation(Service::Kms, "Sign"));
    let kms = calls.of(Service::Kms).len() as f64 - signatures;
    let sent = calls.of(Service::Sqs);
    let fifo = count(&sent, |call| call.targets.iter().any(|queue| queue.contains(".fifo"))) + run.fifo;
    let standard = sent.len() as f64 - count(&sent, |call| call.targets.iter().any(|queue| queue.contains(".fifo")))
        + run.standard;
    let puts = count(calls, operation(Service::S3, "PutObject"));
    let gets = calls.of(Service::S3).len() as f64 - puts;
    let database = writes * price::WRITE_UNIT + reads * price::READ_UNIT;
    let lambda = run.lambda_calls * price::LAMBDA_CALL
        + run.lambda_ms / 1_000.0 * run.memory_mb / 1_024.0 * price::LAMBDA_GB_SECOND;
    let others = kms * price::KMS_CALL
        + signatures * price::KMS_SIGNATURE
        + standard * price::SQS_STANDARD
        + fifo * price::SQS_FIFO
        + puts * price::S3_PUT
        + gets * price::S3_GET
        + run.api_calls * price::API_CALL
        + lambda;
    format!(
        "| {} | {writes} | {reads} | {} | {} | {} | {database:.2} | {:.2} |",
        run.name,
        kms + signatures,
        standard + fifo,
        puts + gets,
        database + others
    )
}

/// Runs a flow and gives its line.
async fn measured(room: &Room, run: &Run, flow: impl Future<Output = ()>) -> String {
    room.ground.account.clear_calls();
    flow.await;
    let calls = room.ground.account.calls();
    line(run, &calls)
}

fn question(key: &str, charge: &str) -> serde_json::Value {
    json!({"intent": {"kind": "refund", "amount_cents": 500, "currency": "usd", "stripe_connection_id": "acct_1", "charge": charge},
        "idempotency_key": key})
}

/// The table, flow by flow.
async fn table() -> String {
    let room = Room::new().await;
    let ground = &room.ground;
    ground.account.measure_capacity();
    // Memory is warm after the first of each.
    let charges: Vec<_> = (0..6).map(|_| ground.charged(50_000)).collect();
    assert_eq!(room.call("POST", "/api/v1/decisions", &question("warm", &charges[0])).await.0, 200);
    assert_eq!(ground.refund("warm-up", 500).await.status, 200);
    ground.observe(ground.events()).await.unwrap();
    pass(61).await;

    let mut lines = Vec::new();
    let asked = Run::called("a decision, asked for", 20.0);
    lines.push(
        measured(&room, &asked, async {
            assert_eq!(room.call("POST", "/api/v1/decisions", &question("one", &charges[1])).await.0, 200);
        })
        .await,
    );
    let made = Run::called("a call through the gateway, decided and made", 450.0);
    lines.push(measured(&room, &made, async { assert_eq!(ground.refund("made", 600).await.status, 200) }).await);
    let again = Run::called("the same call again", 450.0);
    lines.push(measured(&room, &again, async { assert_eq!(ground.refund("made", 600).await.status, 200) }).await);
    let blocked = Run::called("a call that is blocked", 20.0);
    lines.push(
        measured(&room, &blocked, async { assert_eq!(ground.refund("huge", 200_000).await.word(), "axiru_blocked") })
            .await,
    );
    let mut held = None;
    let holding = Run::called("a call that is held", 40.0);
    lines.push(measured(&room, &holding, async { held = Some(room.held("held", 20_000).await) }).await);
    let held = held.unwrap();
    let link = room.link(&held, ANNA).await;
    let answering = Run { api_calls: 2.0, lambda_calls: 2.0, ..Run::called("an approver's page and answer", 60.0) };
    lines.push(
        measured(&room, &answering, async {
            room.open(&link).await.unwrap();
            room.answer(&link, Choice::Approve).await.unwrap();
        })
        .await,
    );
    let working = Run { fifo: 2.0, ..Run::in_background("making what was approved", 450.0, 256.0) };
    lines.push(measured(&room, &working, async { assert_eq!(room.work(&held).await, 0) }).await);
    // Drains what Stripe has told of all that.
    ground.observe(ground.events()).await.unwrap();
    ground.control(&format!("{MODE}/acct_1/refunds"), json!({"charge": charges[2], "amount": 700}));
    let reports = ground.events();
    let messages = 3.0 * reports.len() as f64;
    let seen =
        Run { standard: messages, ..Run::in_background("what Stripe tells of one refund, observed", 60.0, 512.0) };
    lines.push(measured(&room, &seen, async { assert_eq!(ground.observe(reports).await.unwrap().len(), 1) }).await);
    let export = acting_as("ExportRole", &ground.account, Retries::Off);
    let (store, bucket) = (store_of(&export), Bucket::new(export.s3, local::EXPORT_BUCKET));
    let exporter =
        Exporter::new(store, bucket, Signer::new(export.kms, local::SIGNING_KEY_ID), "cost", 0).with_clock(now);
    let log = LogId { scope: scope(), lane: Lane::ZERO };
    exporter.export(&log).await.unwrap();
    assert_eq!(ground.refund("more", 800).await.status, 200);
    let signing = Run::in_background("a checkpoint of one log, signed and written", 200.0, 512.0);
    lines.push(measured(&room, &signing, async { assert_eq!(exporter.export(&log).await.unwrap().segments, 1) }).await);
    let sweeping = Run::in_background("a run of `sweep` with nothing to do, for one account", 50.0, 256.0);
    lines.push(measured(&room, &sweeping, async { assert_eq!(ground.sweep().await.unwrap().failed, 0) }).await);

    let mut text = String::from(
        "| what | write units | read units | KMS | SQS | S3 | DynamoDB, $ for a million | all, $ for a million |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What a month costs before anything happens, by what the template has.
fn fixed() -> String {
    let rows = [
        ("KMS keys", resources("AWS::KMS::Key").len(), 1.00),
        ("secrets", resources("AWS::SecretsManager::Secret").len(), 0.40),
        ("alarms", resources("AWS::CloudWatch::Alarm").len(), 0.10),
        ("dashboards, of which an account has three free", resources("AWS::CloudWatch::Dashboard").len(), 3.00),
        // Written by `sweep` every minute, in both modes, whether or not anything happens.
        ("metrics that are written every minute", 2 * EVERY_MINUTE, 0.30),
    ];
    let mut text = String::from("| what | how many | $ each | $ a month |\n|---|---:|---:|---:|\n");
    let mut sum = 0.0;
    for (name, many, each) in rows {
        let cost = many as f64 * each;
        sum += cost;
        let _ = writeln!(text, "| {name} | {many} | {each:.2} | {cost:.2} |");
    }
    let _ = writeln!(text, "| **together** | | | **{sum:.2}** |");
    text
}

/// Metrics of a run of `sweep`: what was ended and is open, what was looked after, heartbeats.
const EVERY_MINUTE: usize = 9;

const BEGIN: &str = "<!-- computed by tests/tests/cost.rs: begin -->\n";
const END: &str = "<!-- computed by tests/tests/cost.rs: end -->";

#[tokio::test(start_paused = true)]
async fn the_cost_page_says_what_the_functions_do() {
    let place: PathBuf = crate::arrows::root().join("docs/cost.md");
    let document = std::fs::read_to_string(&place).unwrap();
    let (head, rest) = document.split_once(BEGIN).expect("where the table begins");
    let (told, tail) = rest.split_once(END).expect("where the table ends");
    let computed = format!("{}\nA month, before anything happens:\n\n{}", table().await, fixed());
    if std::env::var_os("AXIRU_WRITE_COST").is_some() {
        std::fs::write(&place, format!("{head}{BEGIN}{computed}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(told, computed, "AXIRU_WRITE_COST=1 writes the table anew; look at the rest of the page then");
}
