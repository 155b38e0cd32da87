//! The story's second act: an operator makes themselves known, gives an agent a key and enforces a plan; the agent asks before it moves
//! money, and its decisions are decided again from the export.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::control::Control;
use super::ledger::{Axiru, ring};
use super::merchant::operator;
use crate::stack::Stack;

/// Longest wait for the ledger to tell that a decision was settled.
const PATIENCE: Duration = Duration::from_secs(60);

/// Free text and an address that must be found nowhere: the story's search looks for them.
pub(super) const CANARIES: [&str; 3] = ["canary.rosa@example.com", "canary why", "canary rationale"];

/// The agent's way to Axiru.
struct Agent<'a> {
    client: reqwest::Client,
    url: &'a str,
    key: String,
    account: String,
}

/// An answer: status and body.
type Answer = (u16, Value);

impl Agent<'_> {
    /// Asks for a refund under that idempotency key.
    async fn refund(&self, key: &str, charge: &str, amount: i64) -> Result<Answer> {
        let body = json!({
            "intent": {"kind": "refund", "amount_cents": amount, "currency": "usd", "stripe_connection_id": self.account, "charge": charge},
            "context": {"ticket": "T-77", "rationale": CANARIES[2]},
            "idempotency_key": key,
        });
        let request = self.client.post(format!("{}/api/v1/decisions", self.url)).bearer_auth(&self.key);
        read(request.header("content-type", "application/json").body(body.to_string())).await
    }

    async fn decision(&self, id: &str) -> Result<Answer> {
        read(self.client.get(format!("{}/api/v1/decisions/{id}", self.url)).bearer_auth(&self.key)).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer> {
    let answer = request.send().await.context("Axiru does not answer")?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).with_context(|| format!("no JSON: {status} {text}"))?))
}

/// What a decision must say.
fn expect(what: &str, (status, body): &Answer, outcome: &str, reason: &str) -> Result<()> {
    let said = (*status, body["outcome"].as_str(), body["reason"].as_str());
    ensure!(
        said == (200, Some(outcome), Some(reason)),
        "{what}: expected {outcome} because of {reason}, got {status} {body}"
    );
    Ok(())
}

/// Plays the act in test mode; gives the ids of the decisions and the agent's key.
pub(super) async fn play(
    control: &Control,
    axiru: &Axiru<'_>,
    stack: &Stack,
    account: &str,
) -> Result<(Vec<String>, String)> {
    let scope = format!("test/{account}");
    let scoped = ["--scope", scope.as_str(), "--url", stack.url.as_str()];
    let key = ["key", "create", "--actor", "agent", "--label", "refund-bot", "--json"];
    let stranger = axiru.output(&[&key[..], &["--operator", "per_0123456789abcdef"], &scoped].concat()).await?;
    let said = String::from_utf8_lossy(&stranger.stderr);
    ensure!(!stranger.status.success() && said.contains("axiru person add"), "a stranger may make keys: {said}");

    let id = operator(axiru, &scoped, CANARIES[0]).await?;
    let token = super::merchant::key(axiru, &scoped, "agent", &id).await?;
    let agent =
        Agent { client: reqwest::Client::new(), url: &stack.url, key: token.clone(), account: account.to_owned() };

    let charge = json!({"amount": 900_000, "currency": "usd"});
    let charge = control.make(&format!("{scope}/charges"), charge).await?;
    // In shadow everything goes, and the record says what it would have been.
    let shadow = agent.refund("shadow-1", &charge, 25_000).await?;
    expect("in shadow", &shadow, "allowed", "no_plan_enforced")?;
    ensure!(shadow.1["would_be"] == "pending_approval", "in shadow: {}", shadow.1);

    let enforce = ["plan", "mode", "refunds-starter", "enforce", "--why", CANARIES[1]];
    axiru.text(&[&enforce[..], &scoped].concat()).await?;
    let small = agent.refund("order-1", &charge, 4_000).await?;
    expect("a small refund", &small, "allowed", "policy:allow-refunds")?;
    let medium = agent.refund("order-2", &charge, 6_000).await?;
    expect("above what an agent may", &medium, "pending_approval", "policy:hold-agent-above-50")?;
    let huge = agent.refund("order-3", &charge, 600_000).await?;
    expect("above what anybody may", &huge, "denied", "policy:block-above-5000")?;
    let again = agent.refund("order-1", &charge, 4_000).await?;
    ensure!(again.1["decision_id"] == small.1["decision_id"] && again.1["cached"] == true, "asked again: {}", again.1);
    let other = agent.refund("order-1", &charge, 4_100).await?;
    ensure!((other.0, other.1["code"].as_str()) == (409, Some("idempotency_key_reused")), "other content: {}", other.1);
    let nowhere = agent.refund("order-4", "ch_nowhere", 4_000).await?;
    ensure!((nowhere.0, nowhere.1["field"].as_str()) == (400, Some("intent.charge")), "no such charge: {}", nowhere.1);
    let account = agent.account.clone();
    let stolen = Agent { client: agent.client.clone(), url: agent.url, key: format!("{}x", agent.key), account };
    ensure!(stolen.refund("order-5", &charge, 4_000).await?.0 == 401, "a wrong key is accepted");

    // The agent makes the refund it was allowed; its webhook settles the decision.
    control.make(&format!("{scope}/refunds"), json!({"charge": charge, "amount": 4_000})).await?;
    control.delivered().await?;
    let id = small.1["decision_id"].as_str().context("no id")?.to_owned();
    let started = Instant::now();
    loop {
        let (_, body) = agent.decision(&id).await?;
        if body["status"] == "settled" {
            break;
        }
        ensure!(started.elapsed() < PATIENCE, "the decision was not settled: {body}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let limits = axiru.json(&[&["limits", "show", "--json"][..], &scoped].concat()).await?;
    ensure!(limits.to_string().contains("held"), "the limits tell nothing: {limits}");
    let ids = [&shadow, &small, &medium, &huge].map(|answer| answer.1["decision_id"].as_str().map(str::to_owned));
    let ids = ids.into_iter().collect::<Option<_>>().context("a decision has no id")?;
    Ok((ids, token))
}

/// Decides them again from the export: each must come out the same.
pub(super) async fn replay(axiru: &Axiru<'_>, stack: &Stack, export: &Path, ids: &[String]) -> Result<()> {
    let bucket = format!("s3://{}", stack.output("ExportBucketName")?);
    let export = export.to_str().context("the target folder's name is not text")?;
    let started = Instant::now();
    for id in ids {
        loop {
            let again = axiru.output(&["decision", "replay", id, "--from", export, "--json"]).await?;
            if again.status.success() {
                break;
            }
            let said = String::from_utf8_lossy(&again.stderr).into_owned() + &String::from_utf8_lossy(&again.stdout);
            ensure!(again.status.code() != Some(1), "{id} is decided otherwise from the export: {said}");
            ensure!(started.elapsed() < PATIENCE, "{id} cannot be decided again: {said}");
            ring(stack).await?;
            axiru.text(&["pull", &bucket, export]).await?;
        }
    }
    Ok(())
}
