//! The story's third act: the agent refunds with Stripe's own package, pointed at Axiru.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::control::Control;
use crate::folders::Folders;
use crate::progress::Progress;
use crate::stack::Stack;
use crate::venv::Venv;

/// What the agent got.
pub(super) struct Refunded {
    /// A line for each refund.
    pub(super) lines: Vec<String>,
    /// The decisions behind them.
    pub(super) decisions: Vec<String>,
}

/// Lets the agent refund in test mode, while the starter plan of refunds is enforced.
pub(super) async fn play(
    folders: &Folders,
    progress: &Progress,
    control: &Control,
    stack: &Stack,
    account: &str,
    key: &str,
) -> Result<Refunded> {
    let scope = format!("test/{account}");
    let charge = json!({"amount": 900_000, "currency": "usd"});
    let charge = control.make(&format!("{scope}/charges"), charge).await?;
    let venv = Venv::ready(folders, progress).await?;
    let mut agent = Command::new(venv.python());
    agent.arg("-B").arg(folders.local().join("agent.py")).args([&stack.url, &charge]).env("AXIRU_KEY", key);
    let output = agent.kill_on_drop(true).output().await.context("the agent does not start")?;
    ensure!(output.status.success(), "the agent failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).context("the agent printed no JSON")?;
    let of = |member: &str| -> Result<Vec<String>> {
        let text = |line: &Value| line[member].as_str().map(str::to_owned);
        told.iter().map(text).collect::<Option<_>>().with_context(|| format!("a refund without `{member}`"))
    };
    let outcomes = of("outcome")?;
    ensure!(outcomes == ["allowed", "held", "blocked"], "the agent was told {outcomes:?}");
    Ok(Refunded { lines: of("line")?, decisions: of("decision")? })
}
