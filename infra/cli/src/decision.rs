//! `axiru decision …`: looks at a recorded decision in a copy of the export, and decides it again.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axiru_domain::{Currency, Money, Scope};
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use axiru_ledger::verify::Folder;
use axiru_policy::{Replayed, replay};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::copy;
use crate::scopes::{list, text};

/// Look at a recorded decision, and decide it again.
///
/// Works on a copy of the export (`axiru pull`), never on tables. Run `axiru verify` on the same copy to know that it is complete and
/// unaltered.
#[derive(Debug, Subcommand)]
pub(crate) enum DecisionCommand {
    /// Show what was decided, by which plans, rules and limits, and what became of it.
    #[command(after_help = "Examples:
    axiru decision show dec_0123456789abcdef0123456789abcdef --from export
    axiru decision show re_1PgC72 --from s3://my-export-bucket")]
    Show(Which),
    /// Decide again, from the facts, limit readings and plan documents that the entry names, and compare.
    ///
    /// Exit code 0: the same answer; 1: another answer; 2: it could not be decided again.
    #[command(after_help = "Example:
    axiru pull s3://my-export-bucket export
    axiru decision replay dec_0123456789abcdef0123456789abcdef --from export")]
    Replay(Which),
}

/// Which decision.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The request (`dec_…`), the entry (`ent_…`), or the object of an observed movement (`re_…`, `po_…`, `tr_…`).
    #[arg(value_name = "ID")]
    id: String,
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(long, value_name = "DIR")]
    from: String,
    /// Look in this scope only.
    #[arg(long, value_name = "MODE/ACCOUNT")]
    scope: Option<Scope>,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// The entry that holds a decision, and those that tell what became of it.
struct Found {
    made: Entry,
    later: Vec<Entry>,
}

/// Runs the command.
pub(crate) async fn run(command: &DecisionCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (DecisionCommand::Show(which) | DecisionCommand::Replay(which)) = command;
    let folder = copy::open(&which.from, |_, _| {}).await?.folder;
    let found = find(folder.as_ref(), which)?;
    if let DecisionCommand::Show(_) = command {
        show(&found, which.json, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let replayed = again(folder.as_ref(), &found.made)?;
    tell(&found.made, &replayed, which.json, out)?;
    Ok(if replayed.same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Finds the one entry with a decision that the id names.
fn find(folder: &dyn Folder, which: &Which) -> anyhow::Result<Found> {
    let mut names = folder.names()?;
    names.sort();
    let (mut made, mut later): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
    for name in names {
        let Some(Name::Segment(log, ..)) = Name::parse(&name) else { continue };
        if which.scope.as_ref().is_some_and(|only| *only != log.scope) {
            continue;
        }
        let bytes = folder.read(&name).with_context(|| format!("`{name}` cannot be read"))?;
        for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let entry = Entry::parse(line.to_vec())
                .with_context(|| format!("line {} of `{name}` is not an entry; run `axiru verify`", i + 1))?;
            let named = |field| entry.fields().get(field).and_then(Value::as_str) == Some(&which.id);
            let by_request = entry.ty() == "decision.made" && named("request");
            let own = named("id") || by_request || (entry.ty() == "movement.observed" && named("object"));
            if own && entry.fields().contains_key("decision") {
                made.push(entry);
            } else if named("request") {
                later.push(entry);
            }
        }
    }
    let mut made = made.into_iter();
    match (made.next(), made.next()) {
        (Some(made), None) => Ok(Found { made, later }),
        (Some(one), Some(other)) => {
            let scopes = format!("{} and {}", one.log().scope, other.log().scope);
            bail!(
                "`{}` names several decisions, in {scopes}; say which with `--scope`, or give the entry's id (`ent_…`)",
                which.id
            )
        }
        (None, _) => bail!(
            "no decision `{}` in `{}`; the export runs once a minute, so pull again if it was made just now",
            which.id,
            which.from
        ),
    }
}

fn again(folder: &dyn Folder, entry: &Entry) -> anyhow::Result<Replayed> {
    let scope = &entry.log().scope;
    let document = |sha256: &str| {
        let hash = sha256.parse().ok()?;
        folder.read(&Name::Plan(scope.clone(), hash).text()).ok()
    };
    Ok(replay(entry.fields(), document)?)
}

fn field<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry.fields().get(name).and_then(Value::as_str).unwrap_or("-")
}

fn amount(entry: &Entry) -> String {
    let minor = entry.fields().get("amount_minor").and_then(Value::as_i64).unwrap_or_default();
    let money = field(entry, "currency").parse::<Currency>().ok().and_then(|currency| Money::new(minor, currency).ok());
    money.map_or_else(|| minor.to_string(), |money| money.to_string())
}

fn show(found: &Found, as_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let entry = &found.made;
    if as_json {
        let later: Vec<Value> = found.later.iter().map(|entry| Value::Object(entry.fields().clone())).collect();
        writeln!(out, "{:#}", json!({"entry": entry.fields(), "later": later}))?;
        return Ok(());
    }
    let decision = entry.fields().get("decision").unwrap_or(&Value::Null);
    writeln!(out, "{}  {} {} by {}", entry.at(), field(entry, "kind"), amount(entry), field(entry, "actor"))?;
    writeln!(
        out,
        "  ledger    {} lane {} number {} ({})",
        entry.log().scope,
        entry.log().lane.number(),
        entry.seq(),
        entry.id()
    )?;
    writeln!(out, "  outcome   {}, over all plans {}", text(decision, "outcome"), text(decision, "would_be"))?;
    verdicts(decision, out)?;
    if let Some(facts) = entry.fields().get("facts").and_then(Value::as_object) {
        let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(out, "  facts     {}", if facts.is_empty() { "none".to_owned() } else { facts.join(", ") })?;
    }
    for entry in &found.later {
        writeln!(out, "  {}  {}", entry.at(), entry.ty())?;
    }
    Ok(())
}

fn verdicts(decision: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    for verdict in list(decision, "verdicts") {
        let version: String = text(verdict, "plan_sha256").chars().take(12).collect();
        writeln!(
            out,
            "  {:8}  {} {version}: {}",
            text(verdict, "policy_mode"),
            text(verdict, "plan"),
            text(verdict, "outcome")
        )?;
        for reason in list(verdict, "reasons").iter().filter_map(Value::as_str) {
            writeln!(out, "            {reason}")?;
        }
        for limit in list(verdict, "limits") {
            let number =
                |name: &str| limit.get(name).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), |n| n.to_string());
            let passed = if limit.get("passed") == Some(&Value::Bool(true)) { ", passed" } else { "" };
            writeln!(
                out,
                "            limit {} of {}: amount {} of {}, count {} of {}{passed}",
                text(limit, "limit"),
                text(limit, "subject"),
                number("used_amount"),
                number("max_amount"),
                number("used_count"),
                number("max_count"),
            )?;
        }
    }
    Ok(())
}

fn tell(entry: &Entry, replayed: &Replayed, as_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if as_json {
        let answer =
            json!({"entry": entry.id(), "same": replayed.same, "recorded": replayed.recorded, "again": replayed.again});
        writeln!(out, "{answer:#}")?;
        return Ok(());
    }
    for (name, decision) in [("recorded", &replayed.recorded), ("again", &replayed.again)] {
        writeln!(out, "{name}: {}, over all plans {}", text(decision, "outcome"), text(decision, "would_be"))?;
        verdicts(decision, out)?;
    }
    let told = if replayed.same { "the same answer" } else { "NOT the same answer" };
    Ok(writeln!(out, "{}: {told}", entry.id())?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use axiru_domain::{Lane, LogId};
    use axiru_ledger::entry::{Draft, Tip};
    use axiru_ledger::types::EntryType;

    use super::*;

    struct InMemory(BTreeMap<String, Vec<u8>>);

    impl Folder for InMemory {
        fn names(&self) -> io::Result<Vec<String>> {
            Ok(self.0.keys().cloned().collect())
        }

        fn read(&self, name: &str) -> io::Result<Vec<u8>> {
            self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        }
    }

    /// An export of one observed refund of 45 USD, allowed by the starter plan, or said to have had another outcome.
    fn export(outcome: &str) -> InMemory {
        let plan = axiru_policy::starter().unwrap().into_iter().find(|plan| plan.name() == "refunds-starter").unwrap();
        let scope: Scope = "live/acct_1".parse().unwrap();
        let log = LogId { scope: scope.clone(), lane: Lane::ZERO };
        let mut fields = json!({
            "kind": "refund", "object": "re_1", "ordinal": 0, "amount_minor": 4500, "currency": "usd", "status": null,
            "event": "evt_1", "event_type": "refund.created", "event_at": "2026-10-31T12:00:00.000Z",
            "moved_at": "2026-10-31T12:00:00.000Z", "stripe_request": null, "facts": {},
        });
        let verdict = |outcome: &str, reasons: Value| {
            json!({"plan": "refunds-starter", "plan_sha256": plan.sha256(), "policy_mode": "shadow",
            "outcome": outcome, "reasons": reasons, "holds": []})
        };
        // What is recorded is what a first replay answers, so that the test needs no copy of the plan's rules.
        fields["decision"] =
            json!({"outcome": "allow", "would_be": "allow", "verdicts": [verdict("allow", json!([]))]});
        let draft = |fields: &Value| Draft {
            log: log.clone(),
            actor: "external".parse().unwrap(),
            ty: EntryType::MovementObserved,
            fields: fields.as_object().unwrap().clone(),
        };
        let at = "2026-10-31T12:00:01.000Z".parse().unwrap();
        let first = draft(&fields).at_tip(&Tip::EMPTY, at).unwrap();
        let answer = replay(first.fields(), |_| Some(plan.document().to_vec())).unwrap();
        fields["decision"] = answer.again;
        fields["decision"]["outcome"] = outcome.into();
        let entry = draft(&fields).at_tip(&Tip::EMPTY, at).unwrap();
        let segment = Name::Segment(log, "2026-10-31".parse().unwrap(), 0, 0).text();
        let document = Name::Plan(scope, plan.sha256().parse().unwrap()).text();
        InMemory([(segment, [entry.bytes(), b"\n"].concat()), (document, plan.document().to_vec())].into())
    }

    fn which(id: &str) -> Which {
        Which { id: id.to_owned(), from: "export".to_owned(), scope: None, json: false }
    }

    #[test]
    fn a_decision_is_found_shown_and_the_same_again() {
        let export = export("allow");
        let found = find(&export, &which("re_1")).unwrap();
        assert!(find(&export, &which(found.made.id())).is_ok());
        let replayed = again(&export, &found.made).unwrap();
        assert!(replayed.same, "{replayed:?}");
        let mut out = Vec::new();
        show(&found, false, &mut out).unwrap();
        tell(&found.made, &replayed, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("refund 45.00")
                && text.contains("shadow    refunds-starter")
                && text.contains("the same answer"),
            "{text}"
        );
        assert!(find(&export, &which("re_2")).is_err_and(|error| error.to_string().contains("no decision `re_2`")));
        let elsewhere = Which { scope: Some("test/acct_1".parse().unwrap()), ..which("re_1") };
        assert!(find(&export, &elsewhere).is_err());
    }

    #[test]
    fn another_answer_and_a_missing_plan_are_told() {
        let altered = export("block");
        let found = find(&altered, &which("re_1")).unwrap();
        let replayed = again(&altered, &found.made).unwrap();
        let mut out = Vec::new();
        tell(&found.made, &replayed, false, &mut out).unwrap();
        assert!(!replayed.same && String::from_utf8(out).unwrap().contains("NOT the same answer"));
        let mut gone = export("allow");
        gone.0.retain(|name, _| !name.contains("/plans/"));
        assert!(again(&gone, &found.made).is_err_and(|error| error.to_string().contains("missing")));
    }
}
