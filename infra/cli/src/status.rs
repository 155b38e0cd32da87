//! `axiru status`: what is connected, and how it stands.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use axiru_domain::{Scope, Timestamp};
use clap::Args;
use serde_json::Value;

use crate::api::Deployment;
use crate::scopes::{list, minute, text, words};

/// Show what is connected, and how it stands.
///
/// For every scope: the connection's state, what it may do at Stripe, the age of its tokens, its plans with their policy modes, who approves,
/// what waits for people, what is stopped, the newest entry of each lane of its ledger, and what somebody should look at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    axiru status
    axiru status --scope live/acct_1 --json")]
pub(crate) struct StatusCommand {
    /// Only these scopes. All if not given.
    #[arg(long, value_name = "MODE/ACCOUNT")]
    scope: Vec<Scope>,
    #[command(flatten)]
    deployment: Deployment,
    /// Print JSON for programs: a list of scopes.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &StatusCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let api = command.deployment.open().await?;
    let mut scopes = command.scope.clone();
    if scopes.is_empty() {
        let all = api.root("status", None).await?;
        let found = list(&all, "scopes").iter().map(|scope| text(scope, "scope").parse::<Scope>());
        scopes = found.collect::<Result<_, _>>().context("the answer names something that is no scope")?;
    }
    let mut found = Vec::new();
    for scope in &scopes {
        found.push(api.get(scope, &["status"], &[]).await.with_context(|| scope.to_string())?);
    }
    if command.json {
        writeln!(out, "{:#}", Value::from(found))?;
    } else if found.is_empty() {
        writeln!(out, "Nothing is connected yet. Begin with: axiru connect --mode test")?;
    } else {
        for (i, status) in found.iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            print(status, Timestamp::now(), out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &Value, now: Timestamp, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}", text(status, "scope"), text(status, "name"))?;
    writeln!(
        out,
        "  connection   {}, {}, since {} UTC",
        text(status, "state"),
        text(status, "permissions"),
        minute(status, "connected_at")
    )?;
    let has_key = text(status, "credential") == "restricted_key";
    if text(status, "state") == "reauth_required" {
        let again = if has_key {
            "key: hand over another one (`axiru connect --restricted-key`)"
        } else {
            "tokens: connect it again (`axiru connect`)"
        };
        writeln!(out, "               Stripe no longer takes its {again}")?;
    }
    let tokens = match text(status, "tokens_since").parse::<Timestamp>() {
        Ok(since) => format!("{} old", age(now.secs() - since.secs())),
        Err(_) => "none".to_owned(),
    };
    writeln!(out, "  {:12} {tokens}", if has_key { "key" } else { "tokens" })?;
    for (i, plan) in list(status, "plans").iter().enumerate() {
        let head = if i == 0 { "plans" } else { "" };
        let sha256: String = text(plan, "sha256").chars().take(12).collect();
        writeln!(out, "  {head:12} {:8} {} {sha256}", text(plan, "policy_mode"), text(plan, "plan"))?;
    }
    people(status, out)?;
    if !list(status, "under_review").is_empty() {
        writeln!(out, "  under review {}", words(status, "under_review"))?;
    }
    for lane in list(status, "lanes") {
        let number = lane.get("lane").and_then(Value::as_u64).unwrap_or_default();
        let entries = lane.get("entries").and_then(Value::as_u64).unwrap_or_default();
        let newest = lane.get("newest").filter(|newest| newest.is_object());
        let newest = newest.map(|newest| format!(", newest {} UTC {}", minute(newest, "at"), text(newest, "type")));
        writeln!(out, "  lane {number:<7} {entries} entries{}", newest.unwrap_or_default())?;
    }
    Ok(())
}

/// Who approves, what waits for them, what is stopped, and what nobody could approve.
fn people(status: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64);
    for (i, group) in list(status, "groups").iter().enumerate() {
        let head = if i == 0 { "approvers" } else { "" };
        let members = match number(group, "members").unwrap_or_default() {
            0 => "nobody".to_owned(),
            1 => "1 person".to_owned(),
            members => format!("{members} persons"),
        };
        let quorum = number(group, "quorum").map(|quorum| format!(", {quorum} must approve")).unwrap_or_default();
        writeln!(out, "  {head:12} {}: {members}{quorum}", text(group, "group"))?;
    }
    let mail = if status.get("mail") == Some(&Value::Bool(true)) { "on" } else { "off: nobody is asked" };
    writeln!(out, "  mail         {mail}")?;
    let waiting = status.get("waiting").unwrap_or(&Value::Null);
    match number(waiting, "count").unwrap_or_default() {
        0 => writeln!(out, "  waiting      nothing")?,
        count => {
            let more = if waiting.get("more") == Some(&Value::Bool(true)) { " and more" } else { "" };
            let (oldest, first) = (minute(waiting, "oldest"), minute(waiting, "ends_first"));
            writeln!(out, "  waiting      {count}{more}, oldest since {oldest}, first ends {first} UTC")?;
        }
    }
    for stopped in list(status, "stopped") {
        let of = match text(stopped, "of") {
            "scope" => "everything",
            actor => actor,
        };
        writeln!(out, "  STOPPED      {of}, since {} UTC", minute(stopped, "since"))?;
    }
    for warning in list(status, "warnings") {
        writeln!(out, "  WARNING      {}\n               {}", text(warning, "text"), text(warning, "advice"))?;
    }
    Ok(())
}

/// A length of time, roughly.
fn age(secs: i64) -> String {
    match secs.max(0) {
        secs if secs < 120 => format!("{secs} seconds"),
        secs if secs < 7_200 => format!("{} minutes", secs / 60),
        secs if secs < 172_800 => format!("{} hours", secs / 3_600),
        secs => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scope_is_told_in_lines_that_fit() {
        let status = json!({
            "scope": "live/acct_1", "name": "Rosa’s Shop", "state": "active", "permissions": "read_only",
            "connected_at": "2026-10-31T12:00:00.000Z", "tokens_since": "2026-10-31T12:00:00.000Z",
            "plans": [{"plan": "refunds", "sha256": "ab".repeat(32), "policy_mode": "shadow"}],
            "under_review": ["acct_2"], "mail": true,
            "groups": [{"group": "finance", "members": 1, "quorum": 2}, {"group": "operators", "members": 0, "quorum": null}],
            "waiting": {"count": 2, "more": false, "oldest": "2026-10-31T12:00:00.000Z", "ends_first": "2026-11-01T12:00:00.000Z"},
            "stopped": [{"of": "scope", "since": "2026-10-31T12:10:00.000Z"}, {"of": "agent:ag_1", "since": "2026-10-31T12:10:00.000Z"}],
            "warnings": [{"text": "what refunds holds cannot be approved: …", "advice": "add who approves"}],
            "lanes": [{"lane": 0, "entries": 6, "newest": {"at": "2026-10-31T12:00:00.000Z", "type": "plan.adopted"}},
                      {"lane": 1, "entries": 0, "newest": null}],
        });
        let mut out = Vec::new();
        print(&status, "2026-10-31T12:30:00.000Z".parse().unwrap(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for told in [
            "30 minutes old",
            "shadow   refunds abababababab",
            "under review acct_2",
            "approvers    finance: 1 person, 2 must approve\n               operators: nobody\n",
            "mail         on",
            "waiting      2, oldest since 2026-10-31 12:00, first ends 2026-11-01 12:00 UTC",
            "STOPPED      everything, since 2026-10-31 12:10 UTC\n  STOPPED      agent:ag_1",
            "WARNING      what refunds holds cannot be approved: …\n               add who approves\n",
            "6 entries, newest",
            "0 entries\n",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    }

    #[test]
    fn an_account_with_a_key_is_told_what_to_do_about_its_key() {
        let status = json!({
            "scope": "live/acct_1", "name": "Rosa’s Shop", "state": "reauth_required", "credential": "restricted_key",
            "permissions": "read_only", "connected_at": "2026-10-31T12:00:00.000Z", "tokens_since": "2026-10-31T12:00:00.000Z",
        });
        let mut out = Vec::new();
        print(&status, "2026-10-31T12:30:00.000Z".parse().unwrap(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("its key: hand over another one (`axiru connect --restricted-key`)"), "{text}");
        assert!(text.contains("  key          30 minutes old") && !text.contains("tokens"), "{text}");
    }
}
