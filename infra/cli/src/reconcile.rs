//! `axiru reconcile`: the ledger against Stripe's lists, for a month or a day.

use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axiru_aws::admin::ChangeId;
use axiru_domain::{Currency, Money, Period, Scope};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{Api, Deployment, Refused};
use crate::scopes::{list, minute, text};
use crate::table;

/// Compare the ledger with what Stripe lists, both ways, for a month or a day.
///
/// First whatever Stripe's list of events still has and no webhook told is recovered. Then Stripe's refunds, payouts, transfers with their
/// reversals, disputes and balance transactions are held against the ledger: counts and sums per currency, and every item that does not match by
/// its id. The report is a file beside the export, and an entry of the ledger names it. Days are UTC; of one that is not over, what is older than ten minutes is
/// compared.
///
/// Exit code 0: everything was compared and matches; 1: something does not match, or could not be compared; 2: there is no report.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("period").required(true).args(["month", "day"])),
    after_help = "Examples:
    axiru reconcile --scope live/acct_1 --month 2026-10
    axiru reconcile --scope live/acct_1 --day 2026-10-31 --json
    axiru reconcile --scope live/acct_1 --month 2026-10 --no-wait"
)]
pub(crate) struct ReconcileCommand {
    /// The scope, mode and account: `live/acct_1`.
    #[arg(long, env = "AXIRU_SCOPE", value_name = "MODE/ACCOUNT")]
    scope: Scope,
    /// The month, such as `2026-10`.
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: Option<Period>,
    /// The day, such as `2026-10-31`.
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<Period>,
    /// Ask, and do not wait for the outcome. The same command with the `--change` that it prints shows it later.
    #[arg(long)]
    no_wait: bool,
    /// Look at, or wait for, what an earlier command asked for: its change id. Nothing is compared twice.
    #[arg(long, value_name = "CHANGE")]
    change: Option<ChangeId>,
    #[command(flatten)]
    deployment: Deployment,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Longest wait: the function has fifteen minutes, and another run of the scope may be in front.
const WAIT: Duration = Duration::from_secs(35 * 60);

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Unmatched items that are printed; all are in the report.
const SHOWN: usize = 30;

fn month(text: &str) -> Result<Period, String> {
    match text.parse() {
        Ok(period @ Period::Month(_)) => Ok(period),
        _ => Err("expected a month such as `2026-10`".to_owned()),
    }
}

fn day(text: &str) -> Result<Period, String> {
    match text.parse() {
        Ok(period @ Period::Day(_)) => Ok(period),
        _ => Err("expected a day such as `2026-10-31`".to_owned()),
    }
}

/// Runs the command.
pub(crate) async fn run(command: &ReconcileCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let period = command.month.or(command.day).context("say which month or day")?;
    let change = command.change.clone().map_or_else(|| ChangeId::random().context("no change id can be made"), Ok)?;
    let api = command.deployment.open().await?;
    let asked = json!({"change": change.as_str(), "period": period.to_string()});
    let again = format!("repeat the command with `--change {change}` to find out");
    if let Err(error) = api.post(&command.scope, &["reconcile"], &asked).await {
        // What was refused is refused again.
        let refused = error.downcast_ref::<Refused>().is_some_and(|refused| refused.status < 500);
        let what = if refused { command.scope.to_string() } else { format!("{}: {again}", command.scope) };
        return Err(error.context(what));
    }
    if command.no_wait {
        let told = api.get(&command.scope, &["reconcile", change.as_str()], &[]).await?;
        return asked_only(command, &change, &told, out);
    }
    let told = wait(&api, &command.scope, &change).await.with_context(|| again)?;
    if command.json {
        writeln!(out, "{told:#}")?;
    }
    match told.get("outcome").filter(|outcome| outcome.is_object()) {
        Some(outcome) => {
            if !command.json {
                print(&command.scope, &period, outcome, out)?;
            }
            let complete = outcome.get("complete") == Some(&Value::Bool(true));
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        None => bail!("{} {period} was not compared: {}", command.scope, text(&told, "reason")),
    }
}

/// What is said without waiting.
fn asked_only(
    command: &ReconcileCommand,
    change: &ChangeId,
    told: &Value,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if command.json {
        let mut told = told.clone();
        if let Some(told) = told.as_object_mut() {
            told.insert("change".to_owned(), change.as_str().into());
        }
        writeln!(out, "{told:#}")?;
    } else {
        writeln!(out, "{} {}: {}", command.scope, text(told, "period"), text(told, "status"))?;
        writeln!(
            out,
            "The same command with `--change {change}`, without `--no-wait`, waits for the outcome and shows it."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks until the run is over. How far it is goes to the terminal, never into what a program reads.
async fn wait(api: &Api, scope: &Scope, change: &ChangeId) -> anyhow::Result<Value> {
    let until = Instant::now() + WAIT;
    let mut said = String::new();
    loop {
        let told = api.get(scope, &["reconcile", change.as_str()], &[]).await?;
        if matches!(text(&told, "status"), "done" | "failed") {
            return Ok(told);
        }
        if Instant::now() >= until {
            bail!("it is still {} after {} minutes", text(&told, "status"), WAIT.as_secs() / 60);
        }
        let stage = told.get("stage").and_then(Value::as_str).unwrap_or("waiting for its turn");
        if stage != said && std::io::stderr().is_terminal() {
            let _ = std::io::stderr().write_all(format!("{scope}: {stage}\n").as_bytes());
        }
        stage.clone_into(&mut said);
        tokio::time::sleep(EVERY).await;
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// One or several: `1 movement`, `2 movements`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// An amount of minor units as people write it, with its currency.
fn amount(value: &Value, minor: &str) -> String {
    let currency = text(value, "currency").parse::<Currency>().ok();
    let minor = value.get(minor).and_then(Value::as_i64);
    let money = minor.zip(currency).and_then(|(minor, currency)| Money::new(minor, currency).ok());
    match (money, minor) {
        (Some(money), _) => money.to_string(),
        // Of a currency that nobody knows.
        (None, Some(minor)) => format!("{minor} {}", text(value, "currency")),
        (None, None) => "-".to_owned(),
    }
}

/// The verdict in one line.
fn verdict(outcome: &Value) -> String {
    let counts = [
        (number(outcome, "only_stripe"), "Stripe has and the ledger has not"),
        (number(outcome, "only_ledger"), "the ledger has and Stripe has not"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} that {what}", counted(*count, "item")))
        .collect();
    let different = number(outcome, "different");
    if different > 0 {
        parts.push(
            format!("{} that differ", counted(different, "item")).replace("1 item that differ", "1 item that differs"),
        );
    }
    let refused = !list(outcome, "not_compared").is_empty();
    match (parts.is_empty(), refused) {
        (true, false) => "complete: everything matches".to_owned(),
        (true, true) => "NOT COMPLETE: what was compared matches, but not everything could be compared".to_owned(),
        (false, false) => format!("DIFFERENCES: {}", parts.join(", ")),
        (false, true) => format!("DIFFERENCES: {}; and not everything could be compared", parts.join(", ")),
    }
}

fn print(scope: &Scope, period: &Period, outcome: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{scope} {period}  {}", verdict(outcome))?;
    writeln!(out, "  compared    {} to {} UTC", minute(outcome, "from"), minute(outcome, "until"))?;
    let matched = counted(number(outcome, "matched"), "item");
    match number(outcome, "recovered") {
        0 => writeln!(out, "  matched     {matched}")?,
        recovered => writeln!(
            out,
            "  matched     {matched}; {recovered} of those compared were told by no webhook and recovered"
        )?,
    }
    for refused in list(outcome, "not_compared") {
        let what = text(refused, "what").replace('_', " ");
        let why = match (text(refused, "why"), refused.get("permission").and_then(Value::as_str)) {
            ("permission_missing", Some(permission)) => {
                format!("the app lacks the permission {permission}; update the app, and accept it in the account")
            }
            ("too_many", _) => "too many objects would have to be asked for one by one; compare single days".to_owned(),
            (why, _) => why.to_owned(),
        };
        writeln!(out, "  not compared  {what}: {why}")?;
    }
    if let Some(why) = outcome.get("unhealed").and_then(Value::as_str) {
        writeln!(out, "  not recovered {why}")?;
    }
    totals(outcome, out)?;
    unmatched(outcome, out)?;
    writeln!(out, "  report      {}", text(outcome, "file"))?;
    writeln!(out, "  entry       {}", text(outcome, "entry"))?;
    Ok(())
}

fn totals(outcome: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let row = |total: &Value| {
        let side = |count: &str, minor: &str| format!("{} / {}", number(total, count), amount(total, minor));
        [
            text(total, "kind").replace('_', " "),
            side("stripe_count", "stripe_minor"),
            side("ledger_count", "ledger_minor"),
            if number(total, "balance_count") == 0 { "-".to_owned() } else { side("balance_count", "balance_minor") },
            number(total, "matched").to_string(),
        ]
    };
    let rows: Vec<[String; 5]> = list(outcome, "totals").iter().map(row).collect();
    if !rows.is_empty() {
        table::print(["kind", "at Stripe", "in the ledger", "in the balance", "matched"], &rows, out)?;
    }
    Ok(())
}

fn unmatched(outcome: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let items = list(outcome, "unmatched");
    let row = |item: &Value| {
        let stripe = item.get("stripe").unwrap_or(item);
        let (side, at) = match text(item, "side") {
            "only_stripe" => ("only at Stripe".to_owned(), minute(item, "created")),
            "only_ledger" => ("only in the ledger".to_owned(), minute(item, "moved_at")),
            "balance" => ("only in the balance".to_owned(), minute(item, "created")),
            _ => {
                let what: Vec<&str> = list(item, "what").iter().filter_map(Value::as_str).collect();
                (format!("differs: {}", what.join(", ").replace('_', " ")), minute(stripe, "created"))
            }
        };
        let kind = item.get("kind").or_else(|| item.get("type")).and_then(Value::as_str).unwrap_or("-");
        let object = item.get("object").or_else(|| item.get("transaction")).and_then(Value::as_str).unwrap_or("-");
        let object = match number(item, "ordinal") {
            0 => object.to_owned(),
            ordinal => format!("{object} #{ordinal}"),
        };
        let sides = match item.get("ledger") {
            Some(ledger) => format!("{} / {}", amount(stripe, "amount_minor"), amount(ledger, "amount_minor")),
            None => amount(stripe, "amount_minor"),
        };
        [side, kind.replace('_', " "), object, sides, at]
    };
    let rows: Vec<[String; 5]> = items.iter().take(SHOWN).map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    table::print(["what", "kind", "object", "amount", "made (UTC)"], &rows, out)?;
    let more = items.len().saturating_sub(SHOWN) as u64 + number(outcome, "more");
    if more > 0 {
        writeln!(out, "  and {more} more: the report names all of them")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Value {
        json!({
            "complete": true, "from": "2026-10-01T00:00:00.000Z", "until": "2026-11-01T00:00:00.000Z", "not_compared": [],
            "matched": 3, "only_stripe": 0, "only_ledger": 0, "different": 0, "recovered": 1, "unmatched": [], "more": 0,
            "totals": [{"kind": "transfer_reversal", "currency": "usd", "stripe_count": 3, "stripe_minor": 12_345, "ledger_count": 3,
                "ledger_minor": 12_345, "balance_count": 3, "balance_minor": 12_345, "matched": 3}],
            "file": "v1/live/acct_1/reconcile/2026-10/ab.json", "entry": "ent_0", "unhealed": null,
        })
    }

    fn printed(outcome: &Value) -> String {
        let mut out = Vec::new();
        print(&"live/acct_1".parse().unwrap(), &"2026-10".parse().unwrap(), outcome, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_matches_is_said_first_and_with_both_sides() {
        let expected = "live/acct_1 2026-10  complete: everything matches
  compared    2026-10-01 00:00 to 2026-11-01 00:00 UTC
  matched     3 items; 1 of those compared were told by no webhook and recovered
  kind               at Stripe       in the ledger   in the balance  matched
  transfer reversal  3 / 123.45 USD  3 / 123.45 USD  3 / 123.45 USD  3
  report      v1/live/acct_1/reconcile/2026-10/ab.json
  entry       ent_0
";
        assert_eq!(printed(&outcome()), expected);
    }

    #[test]
    fn what_does_not_match_is_named_and_what_was_not_compared_is_said() {
        let mut outcome = outcome();
        outcome["complete"] = false.into();
        outcome["only_stripe"] = 2.into();
        outcome["only_ledger"] = 1.into();
        outcome["different"] = 1.into();
        outcome["more"] = 7.into();
        outcome["unhealed"] = "the app lacks the permission `event_read`".into();
        outcome["not_compared"] = json!([
            {"what": "balance_transactions", "why": "permission_missing", "permission": "balance_transaction_source_read"},
            {"what": "transfers", "why": "too_many"},
        ]);
        let of = |side: &str, object: &str, amount: i64| {
            json!({"side": side, "kind": "refund", "object": object, "ordinal": 0, "amount_minor": amount, "currency": "usd",
                "created": "2026-10-31T12:00:00.000Z", "moved_at": "2026-10-30T12:00:00.000Z"})
        };
        outcome["unmatched"] = json!([
            of("only_stripe", "re_1", 500), of("only_ledger", "re_2", 600),
            {"side": "different", "kind": "payout", "object": "po_1", "ordinal": 0, "what": ["amount_minor", "status"],
                "stripe": of("", "", 500), "ledger": of("", "", 700)},
            {"side": "balance", "type": "refund", "transaction": "txn_1", "amount_minor": -9, "currency": "usd", "created": "2026-10-31T12:00:00.000Z"},
        ]);
        let text = printed(&outcome);
        for told in [
            "2026-10  DIFFERENCES: 2 items that Stripe has and the ledger has not, 1 item that the ledger has and Stripe has not, 1 item that differs; and not everything could be compared\n",
            "  not compared  balance transactions: the app lacks the permission balance_transaction_source_read; update the app",
            "  not compared  transfers: too many objects",
            "  not recovered the app lacks the permission `event_read`\n",
            "only at Stripe                 refund  re_1    5.00 USD             2026-10-31 12:00\n",
            "only in the ledger             refund  re_2    6.00 USD             2026-10-30 12:00\n",
            "differs: amount minor, status  payout  po_1    5.00 USD / 7.00 USD  2026-10-31 12:00\n",
            "only in the balance            refund  txn_1   -0.09 USD            2026-10-31 12:00\n",
            "  and 7 more: the report names all of them\n",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
        outcome["only_stripe"] = 0.into();
        outcome["only_ledger"] = 0.into();
        outcome["different"] = 0.into();
        assert!(printed(&outcome).contains("NOT COMPLETE: what was compared matches, but"));
    }
}
