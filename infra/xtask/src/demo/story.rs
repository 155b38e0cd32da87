//! The story: connect in both modes, money in four families, webhooks in disorder, the ledger, its export, its check.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::control::Control;
use super::door::Handed;
use super::ledger::{Axiru, copy_with_one_changed_byte, files_below, ring};
use super::merchant::{account, connect};
use super::search::{Planted, search};
use crate::folders::Folders;
use crate::progress::Progress;
use crate::stack::Stack;
use crate::venv::Venv;

/// The merchant.
const NAME: &str = "Blue Door Coffee";

const MODES: [&str; 2] = ["test", "live"];

/// Movements that [`move_money`] makes in one mode: 4 refunds, 3 payouts, 2 transfers, a reversal, two answers to disputes.
const MOVEMENTS: u64 = 12;

/// Changes of status that follow: a refund fails, a payout is in transit and then paid.
const CHANGES: u64 = 3;

/// Longest wait for the ledger to tell everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Planted where Stripe's events hold what is personal: they must be found nowhere.
const CANARIES: [&str; 4] = ["Canary Jo", "canary.jo@example.com", "canary note", "CANARY DESC"];

/// Plays the story; any step that is off ends it.
pub(super) async fn play(folders: &Folders, stack: &Stack, progress: &Progress) -> Result<()> {
    let control = Control::new(&stack.sandbox_url);
    let axiru = Axiru::new(folders, stack);
    let venv = Venv::ready(folders, progress).await?;
    let merchant = account(&control, NAME, None).await?;
    let partner = account(&control, "Blue Door Franchise", Some(&merchant)).await?;

    let step = progress.step("connecting the account in test and live mode");
    let link = axiru.json(&["connect", "--mode", "both", "--url", &stack.url, "--json"]).await?;
    let link = link["url"].as_str().context("no set-up link")?.to_owned();
    for mode in MODES {
        connect(stack, &link, mode, &merchant, NAME).await.with_context(|| format!("connecting in {mode} mode"))?;
    }
    step.done();

    let step = progress.step("moving money in all four families, in both modes");
    control.post("deliveries/hold", json!({})).await?;
    for mode in MODES {
        move_money(&control, &format!("{mode}/{merchant}"), &partner).await?;
    }
    step.done();

    let step = progress.step("delivering webhooks: reordered, some twice, one forged, one stale");
    disorder(&control).await?;
    step.done();

    let step = progress.step("waiting for the ledger and its export");
    let folder = folders.target.join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let (export, vkey) = (folder.join("export"), folder.join("log.vkey"));
    exported(&axiru, stack, &export, &vkey).await?;
    step.done();

    let step =
        progress.step("an operator enforces a plan and gives an agent a key; the agent asks before it moves money");
    let (mut decisions, key) = super::decide::play(&control, &axiru, stack, &merchant).await?;
    step.done();

    let step = progress.step("the agent refunds through the gateway, with Stripe's own package");
    let refunded = super::gateway::play(folders, progress, &control, stack, &merchant, &key).await?;
    decisions.extend(refunded.decisions);
    step.done();

    let step = progress.step("people answer from their mail: one refund approved, one denied, one that nobody answers");
    let (answered, held) = super::approvals::play(&control, &axiru, stack, &merchant, &key, &folder).await?;
    decisions.extend(held);
    step.done();

    let step = progress.step("deciding again from the export: the same answers");
    super::decide::replay(&axiru, stack, &export, &decisions).await?;
    step.done();

    let step = progress.step("another merchant hands over a restricted key, and has a webhook endpoint of their own");
    let handed = super::door::play(&control, &axiru, stack, &export).await?;
    // The new account's logs have keys of their own.
    std::fs::copy(export.join("v1/log.vkey"), &vkey).context("the export has no key")?;
    step.done();

    let step = progress.step("uninstalling in live mode: nothing more is taken");
    uninstall(&control, &axiru, stack, &format!("live/{merchant}"), &export).await?;
    step.done();

    let step = progress
        .step("searching logs, export, tables, queues, buckets, mails and pages for secrets and for what is personal");
    let places = search(folders, &venv, stack, &control, &export, &planted(&handed, &key)).await?;
    step.detail(&format!("{places} places"));
    step.done();

    let step = progress.step("verifying the export, and a copy with one changed byte");
    let checked = axiru.json(&["verify", text(&export)?, "--vkey", text(&vkey)?, "--json"]).await?;
    refused(&axiru, &folder, &export, &vkey).await?;
    step.done();

    let report = axiru.text(&["shadow", "report", text(&export)?]).await?;
    println!("\n{report}");
    println!("the agent's refunds through the gateway:");
    for line in &refunded.lines {
        println!("  {line}");
    }
    println!("what waited for people:");
    for line in &answered {
        println!("  {line}");
    }
    println!("  their mails      {}/mailbox", stack.sandbox_url);
    println!("axiru verify: {} entries of both modes: complete, in order and signed", checked["entries"]);
    println!("  the export       {}", export.display());
    println!("  its public key   {}", vkey.display());
    println!("  logs             {}", stack.logs().display());
    println!(
        "  to check again   cargo run --quiet --bin axiru -- verify {} --vkey {}",
        export.display(),
        vkey.display()
    );
    Ok(())
}

/// A day at a merchant: some of it harmless, some of it not.
async fn move_money(control: &Control, scope: &str, partner: &str) -> Result<()> {
    let at = |path: &str| format!("{scope}/{path}");
    let mut charges = Vec::new();
    for amount in [12_000, 80_000, 600_000, 30_000, 9_900] {
        let person = json!({"name": CANARIES[0], "email": CANARIES[1]});
        let charge =
            json!({"amount": amount, "currency": "usd", "receipt_email": CANARIES[1], "billing_details": person});
        charges.push(control.make(&at("charges"), charge).await?);
    }
    let [small, middle, large, contested, conceded] = charges.as_slice() else {
        anyhow::bail!("not five charges");
    };
    for (charge, amount) in [(small, 4_500), (middle, 25_000), (large, 550_000)] {
        control
            .make(&at("refunds"), json!({"charge": charge, "amount": amount, "metadata": {"note": CANARIES[2]}}))
            .await?;
    }
    let pending = json!({"charge": small, "amount": 1_000, "status": "pending"});
    let pending = control.make(&at("refunds"), pending).await?;
    let failed = json!({"status": "failed", "failure_reason": "expired_or_canceled_card"});
    control.post(&at(&format!("refunds/{pending}/status")), failed).await?;

    control.make(&at("payouts"), json!({"amount": 40_000, "currency": "usd", "automatic": true})).await?;
    control.make(&at("payouts"), json!({"amount": 5_000, "currency": "usd", "method": "instant"})).await?;
    let manual =
        json!({"amount": 250_000, "currency": "usd", "statement_descriptor": CANARIES[3], "expand_destination": true});
    let manual = control.make(&at("payouts"), manual).await?;
    for status in ["in_transit", "paid"] {
        control.post(&at(&format!("payouts/{manual}/status")), json!({"status": status})).await?;
    }

    let transfer = json!({"amount": 20_000, "currency": "usd", "destination": partner, "source_transaction": middle});
    let transfer = control.make(&at("transfers"), transfer).await?;
    control.make(&at("transfers"), json!({"amount": 150_000, "currency": "usd", "destination": partner})).await?;
    control.post(&at(&format!("transfers/{transfer}/reversals")), json!({"amount": 5_000})).await?;

    let dispute = control.make(&at("disputes"), json!({"charge": contested, "reason": "fraudulent"})).await?;
    control
        .post(
            &at(&format!("disputes/{dispute}/evidence")),
            json!({"evidence": {"customer_name": CANARIES[0]}, "submit": true}),
        )
        .await?;
    let dispute = control.make(&at("disputes"), json!({"charge": conceded, "reason": "duplicate"})).await?;
    control.post(&at(&format!("disputes/{dispute}/accept")), json!({})).await?;
    Ok(())
}

/// Lets the held deliveries go as badly as they can, and checks what Axiru answered.
async fn disorder(control: &Control) -> Result<()> {
    let waiting = deliveries(control, "held").await?;
    ensure!(waiting.len() as u64 >= 2 * MOVEMENTS, "only {} webhooks wait", waiting.len());
    for delivery in waiting.iter().step_by(3) {
        control.post(&format!("deliveries/{delivery}/duplicate"), json!({})).await?;
    }
    let one = waiting.first().context("no webhook waits")?;
    for wrong in ["forge_copy", "stale_copy"] {
        control.post(&format!("deliveries/{one}/{wrong}"), json!({})).await?;
    }
    control.post("deliveries/reorder", json!({})).await?;
    control.post("deliveries/release", json!({})).await?;
    control.delivered().await?;
    let all = control.get("deliveries").await?;
    for delivery in all["deliveries"].as_array().context("no deliveries")? {
        let code = delivery["attempts"].as_array().and_then(|tries| tries.last()?.get("status")?.as_u64());
        let expected = if delivery["tamper"].is_null() { 200 } else { 400 };
        ensure!(code == Some(expected), "a webhook was answered with {code:?} instead of {expected}: {delivery}");
    }
    Ok(())
}

async fn deliveries(control: &Control, status: &str) -> Result<Vec<String>> {
    let all = control.get("deliveries").await?;
    let all = all["deliveries"].as_array().context("no deliveries")?;
    Ok(all.iter().filter(|d| d["status"] == status).filter_map(|d| d["id"].as_str().map(str::to_owned)).collect())
}

/// Pulls and verifies until everything that happened stands in the export, exactly once.
async fn exported(axiru: &Axiru<'_>, stack: &Stack, export: &Path, vkey: &Path) -> Result<()> {
    let bucket = format!("s3://{}", stack.output("ExportBucketName")?);
    let started = Instant::now();
    loop {
        ring(stack).await?;
        axiru.text(&["pull", &bucket, text(export)?]).await?;
        std::fs::copy(export.join("v1/log.vkey"), vkey).context("the export has no key")?;
        let arguments = ["verify", text(export)?, "--vkey", text(vkey)?, "--json"];
        let output = axiru.output(&arguments).await?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("axiru verify: {}", String::from_utf8_lossy(&output.stderr)))?;
        ensure!(output.status.success(), "the export is not sound: {}", report["faults"]);
        let counts = |mode: &str, ty: &str| -> u64 {
            let logs = report["logs"].as_array().into_iter().flatten();
            let of_mode = logs.filter(|log| log["log"].as_str().is_some_and(|log| log.starts_with(mode)));
            of_mode.filter_map(|log| log["types"][ty].as_u64()).sum()
        };
        let told = MODES.map(|mode| (counts(mode, "movement.observed"), counts(mode, "movement.changed")));
        if told.iter().all(|(observed, changed)| *observed >= MOVEMENTS && *changed >= CHANGES) {
            ensure!(told == [(MOVEMENTS, CHANGES); 2], "the ledger tells more than happened: {told:?}");
            for mode in MODES {
                ensure!(counts(mode, "connection.connected") == 1, "{mode} was not connected exactly once");
                ensure!(counts(mode, "plan.adopted") == 4, "{mode} did not adopt the four starter plans");
            }
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "after {} s the export tells (movements, changes) {told:?} instead of {:?}; see {}",
            PATIENCE.as_secs(),
            (MOVEMENTS, CHANGES),
            stack.logs().display()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The merchant uninstalls the app: the ledger says so, and what they do afterwards is none of Axiru's business.
async fn uninstall(control: &Control, axiru: &Axiru<'_>, stack: &Stack, scope: &str, export: &Path) -> Result<()> {
    control.post(&format!("{scope}/uninstall"), json!({})).await?;
    control.delivered().await?;
    control.make(&format!("{scope}/payouts"), json!({"amount": 7_700, "currency": "usd"})).await?;
    control.delivered().await?;
    let bucket = format!("s3://{}", stack.output("ExportBucketName")?);
    let started = Instant::now();
    loop {
        ring(stack).await?;
        axiru.text(&["pull", &bucket, text(export)?]).await?;
        let entries = read_entries(&export.join("v1").join(scope))?;
        if entries.contains("\"type\":\"connection.revoked\"") {
            ensure!(!entries.contains("\"amount_minor\":7700"), "a payout after the uninstall was observed");
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "the uninstall is not in the ledger; see {}", stack.logs().display());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Every segment of a scope as one text.
pub(super) fn read_entries(folder: &Path) -> Result<String> {
    let mut entries = String::new();
    for file in files_below(folder)?.iter().filter(|file| file.extension().is_some_and(|end| end == "ndjson")) {
        entries.push_str(&std::fs::read_to_string(file)?);
    }
    Ok(entries)
}

/// What was planted in the story, and where alone it may stand: whom Axiru mails, and what they said, is in rows that can be erased; who asks and
/// who answered is told by name to those who are asked, in mails and on the pages that they lead to.
fn planted(handed: &Handed, key: &str) -> Vec<Planted> {
    let personal = |text: &str| Planted { text: text.to_owned(), places: &[], what: "something personal" };
    let mut all: Vec<Planted> = CANARIES.iter().map(|text| personal(text)).collect();
    let rows = |text: &str, places, what| Planted { text: text.to_owned(), places, what };
    let [operator, why, claim] = super::decide::CANARIES;
    all.push(rows(
        operator,
        &["table/*/test#acct_*#persons", "table/*/test#acct_*#alias", "mail", "page/*-approvals"],
        "the address of an operator",
    ));
    all.push(rows(
        super::approvals::APPROVER,
        &["table/*/test#acct_*#persons", "table/*/test#acct_*#alias", "mail", "page/*-approvals"],
        "the address of an approver",
    ));
    all.push(rows(why, &["table/*/test#acct_*#why"], "why an operator did something"));
    all.push(rows(super::approvals::WORDS, &["table/*/test#acct_*#why"], "what an approver said"));
    // An approver's page shows what the agent says, and is where its link leads.
    all.push(rows(
        claim,
        &["table/*/test#acct_*#request", "mail", "page/*-approvals"],
        "what an agent claims in words",
    ));
    all.push(rows("/approvals/", &["mail", "page/*-approvals"], "a link of an approver"));
    for (text, what) in [(&handed.key, "a restricted key"), (&handed.secret, "a signing secret")] {
        all.push(rows(text, &[], what));
    }
    all.push(rows(key, &[], "an agent's key"));
    all
}

/// A copy with one changed byte must be refused, and the file named.
async fn refused(axiru: &Axiru<'_>, folder: &Path, export: &Path, vkey: &Path) -> Result<()> {
    let copy = folder.join("export-with-one-changed-byte");
    let changed = copy_with_one_changed_byte(export, &copy)?;
    let output = axiru.output(&["verify", text(&copy)?, "--vkey", text(vkey)?]).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let name = changed.strip_prefix(&copy)?.to_string_lossy().into_owned();
    ensure!(output.status.code() == Some(1), "axiru verify did not refuse a copy with one changed byte: {said}");
    let named = said.lines().next().is_some_and(|line| line.starts_with("FAIL") && line.contains(&name));
    ensure!(named, "axiru verify did not name {name}: {said}");
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the target folder's name is not text")
}
