//! The story's fourth act: what an agent asks for above its threshold waits for people. One refund is approved from the mail and made once,
//! one is denied, one nobody answers in time.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::browser::Browser;
use super::control::Control;
use super::ledger::{Axiru, invoke};
use super::merchant::approver;
use crate::stack::Stack;

/// Longest wait for a mail, or for what follows from an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The approver. In no log and no entry: the story's search looks for it.
pub(super) const APPROVER: &str = "canary.anna@example.com";

/// What she says with her answer: in no log and no entry either.
pub(super) const WORDS: &str = "canary words of an approver";

/// A plan beside the starter plan whose people have five seconds.
const QUICK: (&str, &str) = (
    r#"{"v": 1, "name": "quick", "description": "Large refunds, with very little time to answer.", "kinds": ["refund"]}"#,
    r#"@id("allow-refunds") permit(principal, action == Axiru::Action::"refund", resource);
@id("hold-quick") @require_approval("finance") @expires("5s") @reason("Tried out with very little time.")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 7500 };
"#,
);

/// The agent, calling the gateway with idempotency keys of its own.
struct Agent<'a> {
    client: reqwest::Client,
    url: &'a str,
    key: &'a str,
    charge: String,
}

impl Agent<'_> {
    /// A refund; status and body.
    async fn refund(&self, idempotency_key: &str, amount: i64) -> Result<(u16, Value)> {
        let form = serde_urlencoded::to_string([("charge", self.charge.as_str()), ("amount", &amount.to_string())])?;
        let request = self.client.post(format!("{}/v1/refunds", self.url)).bearer_auth(self.key);
        let request = request.header("idempotency-key", idempotency_key);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await.context("the gateway does not answer")?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).with_context(|| format!("no JSON: {status} {text}"))?))
    }

    /// What was refunded of the charge, as Stripe says through the gateway.
    async fn refunds(&self) -> Result<Value> {
        let request = self.client.get(format!("{}/v1/refunds?charge={}", self.url, self.charge)).bearer_auth(self.key);
        let answer = request.send().await.context("the gateway does not answer")?.text().await?;
        let list: Value = serde_json::from_str(&answer).with_context(|| format!("no JSON: {answer}"))?;
        Ok(list["data"].clone())
    }

    /// A refund that must be held; the decision's id.
    async fn held(&self, idempotency_key: &str, amount: i64) -> Result<String> {
        let (status, body) = self.refund(idempotency_key, amount).await?;
        ensure!((status, code(&body)) == (400, "approval_required"), "a refund of {amount}: {status} {body}");
        let id = body["error"]["approval_request"]["id"].as_str();
        Ok(id.with_context(|| format!("no request: {body}"))?.to_owned())
    }

    /// Calls with the same key until it is told `expected`.
    async fn until(&self, idempotency_key: &str, amount: i64, expected: (u16, &str)) -> Result<Value> {
        let started = Instant::now();
        loop {
            let (status, body) = self.refund(idempotency_key, amount).await?;
            if (status, code(&body)) == expected {
                return Ok(body);
            }
            ensure!(started.elapsed() < PATIENCE, "waited for {expected:?} and got {status} {body}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// `error.code`; nothing for an object.
fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

/// Plays the act in test mode; gives a line for each refund, and the decisions.
pub(super) async fn play(
    control: &Control,
    axiru: &Axiru<'_>,
    stack: &Stack,
    account: &str,
    key: &str,
    folder: &Path,
) -> Result<(Vec<String>, Vec<String>)> {
    let scope = format!("test/{account}");
    let scoped = ["--scope", scope.as_str(), "--url", stack.url.as_str()];
    approver(axiru, &scoped, APPROVER).await?;
    let charge = control.make(&format!("{scope}/charges"), json!({"amount": 800_000, "currency": "usd"})).await?;
    let agent = Agent { client: reqwest::Client::new(), url: &stack.url, key, charge };

    let approved = agent.held("held-1", 7_000).await?;
    let denied = agent.held("held-2", 7_100).await?;
    quick(axiru, &scoped, folder).await?;
    let expired = agent.held("held-3", 7_600).await?;
    let held_at = Instant::now();

    answer(stack, &mailed(control, &approved).await?, "approve").await?;
    answer(stack, &mailed(control, &denied).await?, "deny").await?;
    let made = agent.until("held-1", 7_000, (200, "")).await?;
    let again = agent.refund("held-1", 7_000).await?;
    ensure!(again.1["id"] == made["id"], "the same call again is another refund: {}", again.1);
    agent.until("held-2", 7_100, (403, "approval_denied")).await?;

    tokio::time::sleep(Duration::from_secs(5).saturating_sub(held_at.elapsed())).await;
    invoke(stack, "SweepFunctionName").await?;
    agent.until("held-3", 7_600, (400, "approval_expired")).await?;
    let late = Browser::new(stack)?.open(&mailed(control, &expired).await?).await?;
    ensure!(late.page().is_err(), "a link of a request that has expired still asks");

    // Whatever was pressed, and however often the agent called: one refund.
    control.delivered().await?;
    let refunds = agent.refunds().await?;
    let made_once = refunds.as_array().is_some_and(|made| made.len() == 1 && made[0]["amount"] == 7_000);
    ensure!(made_once, "expected one refund of 70.00: {refunds}");
    axiru.text(&[&["plan", "mode", "quick", "shadow", "--why", "tried out"], &scoped[..]].concat()).await?;
    let lines = vec![
        format!(
            "a refund of 70.00 USD: held, approved from the mail, made once as {}",
            made["id"].as_str().unwrap_or("-")
        ),
        "a refund of 71.00 USD: held, denied from the mail, not made".to_owned(),
        "a refund of 76.00 USD: held, nobody answered in five seconds, not made".to_owned(),
    ];
    Ok((lines, vec![approved, denied, expired]))
}

/// Puts a plan in force whose people have five seconds.
async fn quick(axiru: &Axiru<'_>, scoped: &[&str], folder: &Path) -> Result<()> {
    let plan = folder.join("quick");
    std::fs::create_dir_all(&plan).context("cannot make the folder of a plan")?;
    std::fs::write(plan.join("plan.json"), QUICK.0)?;
    std::fs::write(plan.join("policies.cedar"), QUICK.1)?;
    let plan = plan.to_str().context("the target folder's name is not text")?;
    axiru.text(&[&["plan", "push", plan], scoped].concat()).await?;
    axiru.text(&[&["plan", "mode", "quick", "enforce", "--why", "tried out"], scoped].concat()).await?;
    Ok(())
}

/// The link in the mail that asks the approver about a request, once it has come.
async fn mailed(control: &Control, request: &str) -> Result<String> {
    let started = Instant::now();
    loop {
        let mails = control.mails().await?;
        let own =
            mails.iter().filter(|mail| mail["to"].as_array().is_some_and(|to| to.iter().any(|to| to == APPROVER)));
        // The mail that tells the end of it, which may have come meanwhile, has no link.
        let mut texts = own.filter_map(|mail| mail["text"].as_str()).filter(|text| text.contains(request));
        let link = |text: &'_ str| text.split_whitespace().find(|word| word.contains("/approvals/")).map(str::to_owned);
        if let Some(link) = texts.find_map(link) {
            return Ok(link);
        }
        ensure!(started.elapsed() < PATIENCE, "no mail about {request} has come");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Opens a link as a mail scanner and then as a person does, and presses a button.
async fn answer(stack: &Stack, link: &str, decision: &str) -> Result<()> {
    let mut browser = Browser::new(stack)?;
    // Looking is nothing, however often.
    browser.open(link).await?.page()?;
    let page = browser.open(link).await?.page()?;
    ensure!(page.body.contains("TEST") && page.body.contains("Refund"), "the page does not say what it is about");
    let (token, digest) = (page.hidden("link", "digest")?, page.hidden("digest", "digest")?);
    let fields = [("link", token.as_str()), ("digest", &digest), ("decision", decision), ("reason", WORDS)];
    let told = browser.submit(&format!("{}/approvals/decide", stack.url), &fields).await?.page()?;
    if !told.body.contains("is recorded") {
        bail!("the answer was not recorded");
    }
    Ok(())
}
