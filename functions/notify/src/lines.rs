//! What operators are told of an entry: one line of ids and words, never a text that somebody wrote.

use axiru_ledger::entry::Entry;
use serde_json::Value;

/// Fields that a line names, in this order, where the entry has them. All of them are ids, words, numbers or flags by the ledger's format.
const NAMED: [&str; 28] = [
    "request",
    "plan",
    "policy_mode",
    "before",
    "person",
    "group",
    "key",
    "key_actor",
    "kind",
    "object",
    "amount_minor",
    "currency",
    "reason",
    "kind_of_return",
    "of",
    "stopped",
    "alias",
    "added",
    "permissions",
    "restricted_key",
    "link",
    "stripe_code",
    "change",
    "period",
    "only_stripe",
    "only_ledger",
    "different",
    "report_sha256",
];

/// The line of an entry; none for what is not told to operators.
pub(crate) fn line(entry: &Entry) -> Option<String> {
    if !is_told(entry) {
        return None;
    }
    // `2026-10-31T23:59:59.999Z`: what stands before the seconds.
    let at: String = entry.at().to_string().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let mut line = format!("{at} UTC {}", spoken(entry.ty()));
    for name in NAMED {
        let value = match entry.fields().get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => continue,
        };
        line.push_str(&format!(", {name} {value}"));
    }
    if let Some(actor) = entry.fields().get("actor").and_then(Value::as_str) {
        line.push_str(&format!(", by {actor}"));
    }
    Some(line)
}

/// A type as two words: `mail.returned` looks like the address of a page, and mails make such text harmless.
pub(crate) fn spoken(ty: &str) -> String {
    ty.replace(['.', '_'], " ")
}

/// Whether operators are told of an entry.
fn is_told(entry: &Entry) -> bool {
    match entry.ty() {
        // The outcome is what enforced plans say; what a plan in shadow would have said is in the report.
        "decision.made" => {
            entry.fields().get("decision").and_then(|decision| decision.get("outcome")).and_then(Value::as_str)
                == Some("block")
        }
        "approval.requested" => lacks_people(entry),
        // A comparison with Stripe's lists that found nothing is no news.
        "reconcile.reported" => ["only_stripe", "only_ledger", "different"]
            .iter()
            .any(|name| entry.fields().get(*name).and_then(Value::as_u64) != Some(0)),
        "movement.too_late" | "alarm.raised" | "group.changed" | "links.revoked" | "switch.changed"
        | "switch.start_asked" | "mail.returned" => true,
        ty => ["connection.", "plan.", "person.", "key."].iter().any(|family| ty.starts_with(family)),
    }
}

/// Whether fewer people were asked than must approve: it can only expire.
fn lacks_people(entry: &Entry) -> bool {
    let groups = entry.fields().get("groups").and_then(Value::as_array);
    groups.into_iter().flatten().any(|group| {
        let people = group.get("approvers").and_then(Value::as_array).map_or(0, Vec::len);
        let quorum = group.get("quorum").and_then(Value::as_u64).unwrap_or(0);
        u64::try_from(people).is_ok_and(|people| people < quorum)
    })
}

#[cfg(test)]
mod tests {
    use axiru_domain::{Actor, LogId, Timestamp};
    use axiru_ledger::entry::{Draft, Tip};
    use axiru_ledger::types::EntryType;
    use serde_json::json;

    use super::*;

    fn entry(ty: EntryType, fields: Value) -> Entry {
        let Value::Object(fields) = fields else { panic!("no object") };
        let log = LogId::from_key("live#acct_1#0").unwrap();
        let now: Timestamp = "2026-10-31T23:59:59.999Z".parse().unwrap();
        Draft { log, actor: Actor::Axiru, ty, fields }.at_tip(&Tip::EMPTY, now).unwrap()
    }

    fn requested(quorum: u64) -> Entry {
        let groups = json!([{"group": "finance", "quorum": quorum, "approvers": ["per_rosarosarosarosa"]}]);
        let request = format!("dec_{}", "0".repeat(32));
        let fields = json!({"request": request, "groups": groups, "until": "2026-11-01T00:00:00.000Z",
            "action_sha256": "0".repeat(64), "facts": {}});
        entry(EntryType::ApprovalRequested, fields)
    }

    #[test]
    fn a_line_has_ids_and_words_only() {
        let why = "a".repeat(64);
        let stopped = entry(
            EntryType::SwitchChanged,
            json!({"change": "chg_1", "of": "scope", "stopped": true, "why_sha256": why}),
        );
        assert_eq!(
            line(&stopped).unwrap(),
            "2026-10-31 23:59 UTC switch changed, of scope, stopped true, change chg_1, by axiru"
        );
        let returned =
            json!({"report": "r-1", "person": "per_rosarosarosarosa", "kind_of_return": "complaint", "request": null});
        assert_eq!(
            line(&entry(EntryType::MailReturned, returned)).unwrap(),
            "2026-10-31 23:59 UTC mail returned, person per_rosarosarosarosa, kind_of_return complaint, by axiru"
        );
    }

    #[test]
    fn a_connection_by_key_is_told_as_one() {
        let connected = json!({"attempt": "att_1", "country": "DE", "currency": "eur", "lanes": 1, "permissions": "enforcing",
            "reconnected": false, "restricted_key": true});
        assert_eq!(
            line(&entry(EntryType::ConnectionConnected, connected)).unwrap(),
            "2026-10-31 23:59 UTC connection connected, currency eur, permissions enforcing, restricted_key true, by axiru"
        );
    }

    #[test]
    fn a_period_that_does_not_match_is_told_and_one_that_does_is_not() {
        let reported = |only_stripe: u64, different: u64| {
            let at = ["2026-10-31T00:00:00.000Z", "2026-11-01T00:00:00.000Z"];
            let fields = json!({"period": "2026-10-31", "from": at[0], "until": at[1], "matched": 7, "only_stripe": only_stripe,
                "only_ledger": 0, "different": different, "report_sha256": "a".repeat(64)});
            entry(EntryType::ReconcileReported, fields)
        };
        let told = line(&reported(2, 0)).unwrap();
        assert!(
            told.contains(
                "reconcile reported, period 2026-10-31, only_stripe 2, only_ledger 0, different 0, report_sha256 aaa"
            ),
            "{told}"
        );
        assert!(line(&reported(0, 1)).is_some());
        assert!(line(&reported(0, 0)).is_none());
    }

    #[test]
    fn a_request_that_too_few_can_approve_is_told_and_others_are_not() {
        assert!(line(&requested(2)).unwrap().contains("approval requested, request dec_"));
        assert!(line(&requested(1)).is_none());
        let settled = json!({"request": format!("dec_{}", "0".repeat(32)), "before": "pending"});
        assert!(line(&entry(EntryType::DecisionExpired, settled)).is_none());
    }
}
