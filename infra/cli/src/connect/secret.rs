//! Secrets from standard input, and `axiru connect --webhook-secret`.

use std::io::{IsTerminal as _, Read as _, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axiru_aws::admin::ChangeId;
use axiru_domain::Scope;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::api::Deployment;

/// Longest text that is read.
const MAX: u64 = 4_096;

/// Reads one line of standard input. A terminal is asked, and does not show what is typed.
pub(super) fn read(what: &str) -> anyhow::Result<Zeroizing<String>> {
    if std::io::stdin().is_terminal() {
        let typed =
            rpassword::prompt_password(format!("{what} (not shown): ")).context("the terminal cannot be read")?;
        return Ok(Zeroizing::new(typed));
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().take(MAX).read_to_string(&mut text).context("standard input cannot be read")?;
    if text.trim().is_empty() {
        bail!("standard input is empty: the {} is read from there", what.to_lowercase());
    }
    if text.trim().lines().count() > 1 {
        bail!("standard input has more than one line: the {} stands alone", what.to_lowercase());
    }
    Ok(text)
}

/// Hands over a signing secret.
pub(super) async fn run(
    scope: &Scope,
    change: Option<ChangeId>,
    deployment: &Deployment,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let secret = read("Signing secret")?;
    let change = change.map_or_else(|| ChangeId::random().context("no change id can be made"), Ok)?;
    let body = json!({"change": change.as_str(), "secret": secret.trim()});
    let api = deployment.open().await?;
    let answer = api.post(scope, &["webhook-secret"], &body).await.with_context(|| scope.to_string())?;
    if json {
        writeln!(out, "{answer:#}")?;
    } else {
        let count = answer.get("secrets").and_then(Value::as_u64).unwrap_or(1);
        let before = if count > 1 { "; the one before is still good" } else { "" };
        writeln!(out, "{scope}: events signed with this secret are taken within a minute{before}")?;
    }
    Ok(ExitCode::SUCCESS)
}
