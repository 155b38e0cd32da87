//! A merchant: an account at the sandbox, connected to Axiru as a person would do it, with an operator who makes keys and enforces plans.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::browser::Browser;
use super::control::Control;
use super::ledger::Axiru;
use crate::stack::Stack;

/// Makes an account at the sandbox; with `platform`, one that is connected to that one.
pub(super) async fn account(control: &Control, name: &str, platform: Option<&str>) -> Result<String> {
    let mut body =
        json!({"business_name": name, "country": "US", "default_currency": "usd", "balance": {"usd": 90_000_000}});
    if let Some(platform) = platform {
        body["platform"] = platform.into();
    }
    let made = control.post("accounts", body).await?;
    let account = &made["account"];
    let id = account.as_str().or_else(|| account["id"].as_str()).with_context(|| format!("no account: {made}"))?;
    Ok(id.to_owned())
}

/// Follows the set-up link as a person would, to the page that says it is done.
pub(super) async fn connect(stack: &Stack, link: &str, mode: &str, account: &str, name: &str) -> Result<()> {
    let mut browser = Browser::new(stack)?;
    let page = browser.open(link).await?.page()?;
    let marker = format!("name=\"mode\" value=\"{mode}\"");
    let token = page.hidden("link", &marker)?;
    let install = format!("{}/stripe/install", stack.url);
    let consent = browser.submit(&install, &[("link", &token), ("mode", mode)]).await?.redirect()?;
    let page = browser.open(&consent).await?.page()?;
    let fields = [
        ("client_id", page.hidden("client_id", "")?),
        ("redirect_uri", page.hidden("redirect_uri", "")?),
        ("state", page.hidden("state", "")?),
        ("account", account.to_owned()),
        ("decision", "approve".to_owned()),
    ];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let authorize = format!("{}/oauth/v2/authorize", stack.sandbox_url);
    let callback = browser.submit(&authorize, &fields).await?.redirect()?;
    let page = browser.open(&callback).await?.page()?;
    ensure!(page.body.contains(name), "the page to confirm does not name the account");
    let confirm = [("state", page.hidden("state", "")?), ("account", page.hidden("account", "")?)];
    let confirm: Vec<_> = confirm.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = browser.submit(&format!("{}/stripe/confirm", stack.url), &confirm).await?.page()?;
    ensure!(page.body.contains("is connected in"), "the last page does not say that it is connected");
    Ok(())
}

/// Makes the operator known under that address; gives the person's id.
pub(super) async fn operator(axiru: &Axiru<'_>, scoped: &[&str], email: &str) -> Result<String> {
    let person = ["person", "add", "--me", "--email", email, "--group", "finance", "--json"];
    let person = axiru.json(&[&person[..], scoped].concat()).await?;
    let id = person[0]["person"].as_str().or_else(|| person["person"].as_str());
    Ok(id.with_context(|| format!("no person: {person}"))?.to_owned())
}

/// Somebody else who approves for `finance`: whoever asks does not approve, and the starter plans for payouts and transfers ask for two.
pub(super) async fn approver(axiru: &Axiru<'_>, scoped: &[&str], email: &str) -> Result<String> {
    let added = axiru.json(&[&["person", "add", "--email", email, "--json"], scoped].concat()).await?;
    let person = added[0]["person"].as_str().with_context(|| format!("no person: {added}"))?.to_owned();
    axiru.text(&[&["approver", "add", &person, "--group", "finance"], scoped].concat()).await?;
    Ok(person)
}

/// A key for a new actor, `agent` or `staff`, for whom that person answers.
pub(super) async fn key(axiru: &Axiru<'_>, scoped: &[&str], actor: &str, operator: &str) -> Result<String> {
    let key = [
        "key",
        "create",
        "--actor",
        actor,
        "--operator",
        operator,
        "--label",
        "refund-bot",
        "--per-minute",
        "600",
        "--json",
    ];
    let made = axiru.json(&[&key[..], scoped].concat()).await?;
    Ok(made["token"].as_str().with_context(|| format!("no key: {made}"))?.to_owned())
}
