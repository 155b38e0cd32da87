//! The day as a table: UTF-8 with a byte order mark, CRLF, quoted texts (RFC 4180), so that spreadsheets read it as it is.
//!
//! A cell of text that a spreadsheet could take for a formula gets an apostrophe in front (OWASP, "CSV Injection"). Amounts stand
//! twice: in minor units, which can be summed, and as decimal text, which can be read.

use axiru_domain::Money;
use serde_json::Value;

use crate::entry::Entry;

/// The byte order mark, without which spreadsheets guess the encoding.
const MARK: &str = "\u{feff}";

/// The columns. Texts but for `seq` and `amount_minor`.
pub const COLUMNS: [&str; 18] = [
    "seq",
    "at",
    "type",
    "actor",
    "operator",
    "request",
    "kind",
    "object",
    "amount_minor",
    "amount",
    "currency",
    "status",
    "outcome",
    "would_be",
    "reasons",
    "recovered",
    "id",
    "leaf_sha256",
];

/// The columns that stand in front of the others in a table of several logs. Texts but for `lane`.
pub const LOG_COLUMNS: [&str; 3] = ["mode", "account", "lane"];

/// The head of a table of several logs.
#[must_use]
pub fn head_with_log() -> Vec<u8> {
    format!("{MARK}{},{}\r\n", LOG_COLUMNS.join(","), COLUMNS.join(",")).into_bytes()
}

/// Adds the row of an entry to a table of several logs.
pub fn row_with_log(out: &mut Vec<u8>, entry: &Entry) {
    let log = entry.log();
    let (mode, account) = (quoted(log.scope.mode().as_str()), quoted(log.scope.account().as_str()));
    out.extend_from_slice(format!("{mode},{account},{},", log.lane).as_bytes());
    row(out, entry);
}

/// The head of the file.
#[must_use]
pub fn head() -> Vec<u8> {
    format!("{MARK}{}\r\n", COLUMNS.join(",")).into_bytes()
}

/// Adds the row of an entry.
pub fn row(out: &mut Vec<u8>, entry: &Entry) {
    let fields = entry.fields();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("");
    let decision = |name: &str| fields.get("decision").and_then(|d| d.get(name)).and_then(Value::as_str).unwrap_or("");
    let amount = fields.get("amount_minor").and_then(Value::as_i64);
    let cells = COLUMNS.map(|column| match column {
        "seq" => entry.seq().to_string(),
        "amount_minor" => amount.map_or_else(String::new, |amount| amount.to_string()),
        "amount" => quoted(&amount.and_then(|amount| decimal(amount, text("currency"))).unwrap_or_default()),
        "outcome" | "would_be" => quoted(decision(column)),
        "reasons" => quoted(&reasons(fields.get("decision"))),
        "recovered" => quoted(if fields.contains_key("recovered") { "true" } else { "" }),
        "leaf_sha256" => quoted(&entry.leaf_hash().to_string()),
        name => quoted(text(name)),
    });
    out.extend_from_slice(cells.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `12.34`; nothing for a currency whose exponent is not known.
fn decimal(amount: i64, currency: &str) -> Option<String> {
    Some(Money::new(amount, currency.parse().ok()?).ok()?.decimal())
}

/// The reasons of every verdict, none twice, in order.
fn reasons(decision: Option<&Value>) -> String {
    let verdicts = decision.and_then(|d| d.get("verdicts")).and_then(Value::as_array);
    let mut found: Vec<&str> = Vec::new();
    for verdict in verdicts.into_iter().flatten() {
        for reason in verdict.get("reasons").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !found.contains(&reason) {
                found.push(reason);
            }
        }
    }
    found.join(" ")
}

/// A cell of text: quoted, its quotes doubled, harmless to spreadsheets. Nothing stays nothing.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // A negative amount is a number, whatever it begins with.
    let number = text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !number;
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, cell) in [
            ("", ""),
            ("re_1", "\"re_1\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("+1", "\"'+1\""),
            ("-1+cmd|' /C calc'!A0", "\"'-1+cmd|' /C calc'!A0\""),
            ("-12.50", "\"-12.50\""),
            ("-", "\"-\""),
            ("\tx", "\"'\tx\""),
            ("a\"b,c\r\nd", "\"a\"\"b,c\r\nd\""),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
