//! The second door: another merchant hands over a restricted key instead of installing the app, and has a webhook endpoint of their own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::control::Control;
use super::ledger::{Axiru, ring};
use super::story::read_entries;
use crate::stack::Stack;

/// Longest wait for the ledger to tell what happened.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the key may do: read everything, and write refunds only.
const PERMISSIONS: [&str; 8] = [
    "charge_read",
    "charge_write",
    "dispute_read",
    "payout_read",
    "transfer_read",
    "event_read",
    "balance_transaction_source_read",
    "connected_account_read",
];

/// What the act hands over: it must be found nowhere.
pub(super) struct Handed {
    pub(super) key: String,
    pub(super) secret: String,
}

/// Plays the act in test mode.
pub(super) async fn play(control: &Control, axiru: &Axiru<'_>, stack: &Stack, export: &Path) -> Result<Handed> {
    let body = json!({"business_name": "Corner Shop", "country": "US", "default_currency": "usd"});
    let made = control.post("accounts", body).await?;
    let account = made["account"]["id"].as_str().context("no account")?.to_owned();
    let own = made["keys"]["test"]["secret"].as_str().context("no key of the account")?.to_owned();
    let scope = format!("test/{account}");
    let key = control.post(&format!("{scope}/restricted_keys"), json!({"permissions": PERMISSIONS})).await?;
    let key = key["key"].as_str().context("no restricted key")?.to_owned();

    let connect = ["connect", "--restricted-key", "--json", "--url", stack.url.as_str()];
    let wrong = axiru.fed(&connect, &own).await?;
    let said = String::from_utf8_lossy(&wrong.stderr);
    ensure!(!wrong.status.success() && said.contains("secret key"), "a secret key was taken: {said}");
    let looked = axiru.fed_json(&connect, &key).await?;
    ensure!(looked["connected"] == false && looked["may_enforce"] == json!(["refunds"]), "looked at: {looked}");
    let connected = axiru.fed_json(&[&connect[..], &["--account", &account]].concat(), &key).await?;
    ensure!(connected["connected"] == true, "not connected: {connected}");
    let url = connected["webhook"]["url"].as_str().context("no address for webhooks")?;

    // In the account's Dashboard: the endpoint, for the events that the command named.
    let mut form = vec![("url", url.to_owned()), ("api_version", text(&connected["webhook"]["api_version"])?)];
    for event in connected["webhook"]["events"].as_array().context("no events")? {
        form.push(("enabled_events[]", text(event)?));
    }
    let endpoint = reqwest::Client::new().post(format!("{}/v1/webhook_endpoints", stack.sandbox_url)).bearer_auth(&own);
    let endpoint = endpoint.header("content-type", "application/x-www-form-urlencoded");
    let endpoint = endpoint.body(serde_urlencoded::to_string(&form)?).send().await.context("no endpoint")?;
    let endpoint: serde_json::Value = serde_json::from_str(&endpoint.text().await?)?;
    let secret = endpoint["secret"].as_str().with_context(|| format!("no endpoint: {endpoint}"))?.to_owned();
    let add = ["connect", "--webhook-secret", "--scope", scope.as_str(), "--json", "--url", stack.url.as_str()];
    let added = axiru.fed_json(&add, &secret).await?;
    ensure!(added["secrets"] == 1, "the secret was not taken: {added}");

    let charge = control.make(&format!("{scope}/charges"), json!({"amount": 5_000, "currency": "usd"})).await?;
    control.make(&format!("{scope}/refunds"), json!({"charge": charge, "amount": 1_234})).await?;
    control.delivered().await?;
    let bucket = format!("s3://{}", stack.output("ExportBucketName")?);
    let started = Instant::now();
    loop {
        ring(stack).await?;
        axiru.text(&["pull", &bucket, export.to_str().context("the target folder's name is not text")?]).await?;
        let folder = export.join("v1").join(&scope);
        if folder.exists() && read_entries(&folder)?.contains("\"amount_minor\":1234") {
            break;
        }
        ensure!(started.elapsed() < PATIENCE, "the refund is not in the ledger; see {}", stack.logs().display());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(Handed { key, secret })
}

fn text(value: &serde_json::Value) -> Result<String> {
    Ok(value.as_str().context("not a text")?.to_owned())
}
