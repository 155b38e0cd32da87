//! What a batch of the ledger table's stream says: which logs grew, and which entries somebody changed.

use std::collections::BTreeSet;

use axiru_aws::export::AlarmKind;
use axiru_domain::LogId;
use serde_json::Value;

/// An entry that was overwritten or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) log: LogId,
    pub(crate) seq: u64,
    pub(crate) kind: AlarmKind,
}

/// A batch, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rung {
    /// Logs that it names.
    pub(crate) logs: BTreeSet<LogId>,
    /// The first damage to each log.
    pub(crate) damage: Vec<Damage>,
    /// Keys that name no log.
    pub(crate) unreadable: BTreeSet<String>,
}

impl Rung {
    /// Reads a batch; any other event names nothing.
    pub(crate) fn of(event: &Value) -> Self {
        let mut rung = Self::default();
        let records = event.get("Records").and_then(Value::as_array);
        for record in records.into_iter().flatten() {
            let Some(key) = record.pointer("/dynamodb/Keys/pk/S").and_then(Value::as_str) else { continue };
            let Ok(log) = LogId::from_key(key) else {
                rung.unreadable.insert(key.to_owned());
                continue;
            };
            let kind = match record.get("eventName").and_then(Value::as_str) {
                Some("MODIFY") => Some(AlarmKind::Modified),
                Some("REMOVE") => Some(AlarmKind::Removed),
                _ => None,
            };
            let seq = record.pointer("/dynamodb/Keys/seq/N").and_then(Value::as_str).and_then(|seq| seq.parse().ok());
            if let Some((kind, seq)) = kind.zip(seq) {
                match rung.damage.iter_mut().find(|damage| damage.log == log) {
                    Some(damage) if damage.seq <= seq => {}
                    Some(damage) => (damage.seq, damage.kind) = (seq, kind),
                    None => rung.damage.push(Damage { log: log.clone(), seq, kind }),
                }
            }
            rung.logs.insert(log);
        }
        rung
    }

    /// True when it names nothing: the schedule rang.
    pub(crate) fn is_silent(&self) -> bool {
        self.logs.is_empty() && self.unreadable.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(name: &str, key: &str, seq: u64) -> Value {
        json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": key}, "seq": {"N": seq.to_string()}}}})
    }

    #[test]
    fn a_batch_names_logs_once() {
        let log = "test#acct_1#0";
        let rung = Rung::of(&json!({"Records": [record("INSERT", log, 3), record("INSERT", log, 2), {}]}));
        assert_eq!(rung.logs.iter().map(LogId::key).collect::<Vec<_>>(), [log]);
        assert!(rung.damage.is_empty() && !rung.is_silent());
        for silent in [json!({"source": "aws.events"}), json!(null), json!({"Records": []})] {
            assert!(Rung::of(&silent).is_silent());
        }
    }

    #[test]
    fn damage_is_seen_and_the_first_entry_of_it_is_told() {
        let rung = Rung::of(&json!({"Records": [
            record("INSERT", "test#acct_1#0", 9),
            record("MODIFY", "test#acct_1#0", 7),
            record("REMOVE", "test#acct_1#0", 4),
            record("REMOVE", "live#acct_1#1", 1),
            record("INSERT", "../x", 1),
        ]}));
        let damage: Vec<_> = rung.damage.iter().map(|d| (d.log.key(), d.seq, d.kind)).collect();
        assert_eq!(
            damage,
            [("test#acct_1#0".to_owned(), 4, AlarmKind::Removed), ("live#acct_1#1".to_owned(), 1, AlarmKind::Removed)]
        );
        assert_eq!(rung.unreadable.len(), 1);
    }
}
