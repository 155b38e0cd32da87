//! `axiru connect --restricted-key`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use axiru_aws::admin::ChangeId;
use axiru_domain::AccountId;
use axiru_stripe::restricted::RestrictedKey;
use serde_json::{Value, json};

use super::secret;
use crate::api::{Deployment, Refused};
use crate::scopes::{list, text, words};
use crate::table;

/// Shows what the key may do, and connects with it where `account` is given.
pub(super) async fn run(
    account: Option<&AccountId>,
    change: Option<ChangeId>,
    deployment: &Deployment,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let key = secret::read("Restricted key")?;
    // Refused here, so that a secret key never leaves this machine.
    RestrictedKey::new(&key).context("nothing was sent")?;
    let change = change.map_or_else(|| ChangeId::random().context("no change id can be made"), Ok)?;
    let body = json!({"change": change.as_str(), "key": key.trim(), "account": account.map(AccountId::as_str)});
    let answer = deployment.open().await?.root("restricted-keys", Some(&body)).await.map_err(|error| {
        let refused = error.downcast_ref::<Refused>().is_some_and(|refused| refused.status < 500);
        if refused || account.is_none() {
            return error;
        }
        error.context(format!("it may have happened; repeat the command with `--change {change}` to find out"))
    })?;
    if json {
        writeln!(out, "{answer:#}")?;
    } else {
        tell(&answer, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let permissions = answer.get("permissions").unwrap_or(&Value::Null);
    let account = text(answer, "account");
    writeln!(
        out,
        "{}  {}, {}, {}\n",
        text(answer, "scope"),
        text(answer, "name"),
        text(answer, "country"),
        text(answer, "currency")
    )?;
    let mut rows = Vec::new();
    for (of, may) in [("granted", "yes"), ("missing", "MISSING")] {
        for one in list(permissions, of) {
            rows.push([text(one, "name").to_owned(), may.to_owned(), text(one, "purpose").to_owned()]);
        }
    }
    table::print(["permission", "granted", "for"], &rows, out)?;
    if !list(permissions, "missing").is_empty() {
        writeln!(
            out,
            "\nWhat is missing is unknown to your plans: rules that read it hold, and comparing with Stripe leaves it out."
        )?;
    }
    if !list(permissions, "too_much").is_empty() {
        writeln!(
            out,
            "\nThe key may also do what Axiru has no use for: {}. Take that away.",
            words(permissions, "too_much")
        )?;
    }
    match list(answer, "may_enforce") {
        [] => writeln!(out, "\nIt reads only: plans can run in shadow, and none can be enforced.")?,
        _ => writeln!(out, "\nPlans can be enforced for: {}.", words(answer, "may_enforce"))?,
    }
    if answer.get("connected") != Some(&Value::Bool(true)) {
        writeln!(
            out,
            "\nNothing is connected. If this is the account that you mean:\n    axiru connect --restricted-key --account {account}"
        )?;
        return Ok(());
    }
    let again = answer.get("reconnected") == Some(&Value::Bool(true));
    writeln!(out, "\nConnected{}.", if again { " again: its logs and plans go on" } else { "" })?;
    let webhook = answer.get("webhook").unwrap_or(&Value::Null);
    writeln!(
        out,
        "\nStripe must tell Axiru what happens. In the account's Dashboard, under Developers, Webhooks, unless it is there already, add an endpoint for events on your account:"
    )?;
    writeln!(out, "    URL          {}", text(webhook, "url"))?;
    writeln!(out, "    API version  {}", text(webhook, "api_version"))?;
    writeln!(out, "    Events       {}", words(webhook, "events"))?;
    writeln!(
        out,
        "Then hand over its signing secret:\n    axiru connect --webhook-secret --scope {}",
        text(answer, "scope")
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(connected: bool) -> Value {
        json!({
            "connected": connected, "reconnected": false, "scope": "test/acct_1", "account": "acct_1", "name": "Rosa", "country": "DE", "currency": "eur",
            "permissions": {
                "granted": [{"name": "charge_read", "purpose": "See refunds."}],
                "missing": [{"name": "event_read", "purpose": "Be told."}],
                "too_much": ["customer_read"],
            },
            "may_enforce": [],
            "webhook": {"url": "https://a.example/stripe/webhooks/test/acct_1", "events": ["refund.created"], "api_version": "v"},
        })
    }

    fn told(answer: &Value) -> String {
        let mut out = Vec::new();
        tell(answer, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_look_says_what_is_missing_and_how_to_go_on() {
        let told = told(&answer(false));
        for said in
            ["charge_read  yes", "event_read   MISSING", "no use for: customer_read", "reads only", "--account acct_1"]
        {
            assert!(told.contains(said), "{said}: {told}");
        }
        assert!(!told.contains("webhooks/test"), "{told}");
    }

    #[test]
    fn once_connected_the_webhook_is_next() {
        let told = told(&answer(true));
        for said in
            ["https://a.example/stripe/webhooks/test/acct_1", "refund.created", "--webhook-secret --scope test/acct_1"]
        {
            assert!(told.contains(said), "{said}: {told}");
        }
    }
}
