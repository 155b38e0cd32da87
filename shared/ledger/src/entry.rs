//! Entries: one line each, chained by the hash of the line before. The format is `docs/ledger-format.md`.

use axiru_domain::{Actor, Lane, LogId, Scope, Timestamp};
use serde_json::{Map, Value};

use crate::canonical::{self, CanonicalError};
use crate::hash::Hash;
use crate::types::{self, EntryType};

/// Version of the format, the `v` of every entry.
pub const VERSION: i64 = 1;

/// Largest entry, in bytes. C2SP tile bundles allow 65,535; DynamoDB writes cost per KiB, and the largest real entry
/// (an observation with the verdicts of eight plans) is below 4 KiB.
pub const MAX_ENTRY_BYTES: usize = 16_384;

/// Where the next entry of a log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The next entry's number.
    pub seq: u64,
    /// Leaf hash of the entry before it.
    pub prev: Hash,
    /// Time of the entry before it; none before entry 0.
    pub at: Option<Timestamp>,
}

impl Tip {
    /// The tip of a log without entries.
    pub const EMPTY: Self = Self { seq: 0, prev: Hash::ZERO, at: None };
}

/// What is to be appended: everything of an entry but its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The log it belongs to.
    pub log: LogId,
    /// Who acted.
    pub actor: Actor,
    /// What it says.
    pub ty: EntryType,
    /// The type's own fields.
    pub fields: Map<String, Value>,
}

/// An entry: its exact bytes, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    bytes: Vec<u8>,
    fields: Map<String, Value>,
    log: LogId,
    seq: u64,
    prev: Hash,
    at: Timestamp,
    ty: String,
}

/// Bytes that are not an entry, or a draft that makes none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than [`MAX_ENTRY_BYTES`].
    #[error("an entry of {0} bytes is longer than {MAX_ENTRY_BYTES}")]
    TooLong(usize),
    /// Not canonical JSON.
    #[error("{0}")]
    Canonical(#[from] CanonicalError),
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A field is missing or has another type or form.
    #[error("field `{0}` is missing or wrong")]
    Field(&'static str),
    /// Another format version.
    #[error("format version {0} is not known; this program knows 1")]
    Version(i64),
    /// The fields of a known type are not exactly the ones the format lists.
    #[error("field `{field}` of a {ty} is {fault}")]
    Shape {
        /// The entry's type.
        ty: String,
        /// The field.
        field: String,
        /// `missing`, `not one of its fields` or `of another form`.
        fault: &'static str,
    },
    /// The `id` is not the one that the entry's subject has.
    #[error("the id is not the hash of what the entry is about")]
    Id,
}

impl Draft {
    /// The entry that this draft makes at `tip`. Its time is `now`, or the time of the entry before if that is later:
    /// time never runs back within a log.
    ///
    /// # Errors
    /// [`EntryError`] when the fields are not those of the type.
    pub fn at_tip(&self, tip: &Tip, now: Timestamp) -> Result<Entry, EntryError> {
        let at = tip.at.map_or(now, |before| before.max(now));
        let mut fields = self.fields.clone();
        let scope = &self.log.scope;
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("account", scope.account().as_str().into());
        set("actor", self.actor.to_string().into());
        set("at", at.to_string().into());
        set("lane", self.log.lane.number().into());
        set("mode", scope.mode().as_str().into());
        set("prev", tip.prev.to_string().into());
        set("seq", tip.seq.into());
        set("type", self.ty.as_str().into());
        set("v", VERSION.into());
        let id = types::id_of(self.ty, scope, &fields)?;
        fields.insert("id".to_owned(), id.into());
        let text = canonical::write(&Value::Object(fields))?;
        Entry::parse(text.into_bytes())
    }
}

impl Entry {
    /// Reads an entry from its exact bytes, without a line feed.
    ///
    /// # Errors
    /// [`EntryError`] for anything that the format does not allow.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let Value::Object(fields) = canonical::read(&bytes)? else {
            return Err(EntryError::NotAnObject);
        };
        let version = fields.get("v").and_then(Value::as_i64).ok_or(EntryError::Field("v"))?;
        if version != VERSION {
            return Err(EntryError::Version(version));
        }
        let mode = parse_field(&fields, "mode")?;
        let account = parse_field(&fields, "account")?;
        let lane: Lane = fields
            .get("lane")
            .and_then(Value::as_u64)
            .and_then(|n| n.to_string().parse().ok())
            .ok_or(EntryError::Field("lane"))?;
        let scope = Scope::new(mode, account);
        let _: Actor = parse_field(&fields, "actor")?;
        let ty = text_field(&fields, "type")?.to_owned();
        if !types::is_type(&ty) {
            return Err(EntryError::Field("type"));
        }
        if let Ok(known) = ty.parse::<EntryType>() {
            types::check_shape(known, &fields)?;
            if text_field(&fields, "id")? != types::id_of(known, &scope, &fields)? {
                return Err(EntryError::Id);
            }
        } else if !types::is_entry_id(text_field(&fields, "id")?) {
            return Err(EntryError::Field("id"));
        }
        let seq = fields.get("seq").and_then(Value::as_u64).ok_or(EntryError::Field("seq"))?;
        let prev = parse_field(&fields, "prev")?;
        let at = parse_field(&fields, "at")?;
        Ok(Self { log: LogId { scope, lane }, bytes, seq, prev, at, ty, fields })
    }

    /// The exact bytes, without a line feed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The log the entry says it belongs to.
    #[must_use]
    pub const fn log(&self) -> &LogId {
        &self.log
    }

    /// Its number in the log.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Leaf hash of the entry before.
    #[must_use]
    pub const fn prev(&self) -> Hash {
        self.prev
    }

    /// When it was made.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Its type, which this program may not know.
    #[must_use]
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        text_field(&self.fields, "id").unwrap_or("")
    }

    /// Every field.
    #[must_use]
    pub const fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The hashes of the plan documents that it names.
    #[must_use]
    pub fn plans(&self) -> Vec<Hash> {
        let hash = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let verdicts = self.fields.get("decision").and_then(|d| d.get("verdicts")).and_then(Value::as_array);
        let decided = verdicts.into_iter().flatten().filter_map(|verdict| verdict.get("plan_sha256"));
        decided.chain(self.fields.get("plan_sha256")).filter_map(hash).collect()
    }

    /// Its leaf hash.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        Hash::leaf(&self.bytes)
    }

    /// Where the entry after it goes.
    #[must_use]
    pub fn next_tip(&self) -> Tip {
        Tip { seq: self.seq + 1, prev: self.leaf_hash(), at: Some(self.at) }
    }
}

pub(crate) fn text_field<'a>(fields: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, EntryError> {
    fields.get(name).and_then(Value::as_str).ok_or(EntryError::Field(name))
}

fn parse_field<T: std::str::FromStr>(fields: &Map<String, Value>, name: &'static str) -> Result<T, EntryError> {
    text_field(fields, name)?.parse().map_err(|_| EntryError::Field(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(crate) fn changed(log: &str, object: &str, status: &str) -> Draft {
        let fields = json!({
            "kind": "refund", "object": object, "ordinal": 0, "status": status, "late": false, "failure_code": null,
            "event": "evt_1", "event_type": "refund.updated", "event_at": "2026-10-31T00:00:00.000Z",
            "amount_minor": 100, "currency": "usd",
        });
        let Value::Object(fields) = fields else { unreachable!() };
        Draft { log: LogId::from_key(log).unwrap(), actor: Actor::External, ty: EntryType::MovementChanged, fields }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn the_bytes_of_an_entry_never_change() {
        let entry = changed("test#acct_1#0", "re_1", "failed").at_tip(&Tip::EMPTY, at(1_793_404_800_000)).unwrap();
        assert_eq!(
            std::str::from_utf8(entry.bytes()).unwrap(),
            "{\"account\":\"acct_1\",\"actor\":\"external\",\"amount_minor\":100,\"at\":\"2026-10-31T00:00:00.000Z\",\
             \"currency\":\"usd\",\"event\":\"evt_1\",\"event_at\":\"2026-10-31T00:00:00.000Z\",\
             \"event_type\":\"refund.updated\",\"failure_code\":null,\"id\":\"ent_ID\",\"kind\":\"refund\",\"lane\":0,\
             \"late\":false,\"mode\":\"test\",\"object\":\"re_1\",\"ordinal\":0,\
             \"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"seq\":0,\
             \"status\":\"failed\",\"type\":\"movement.changed\",\"v\":1}"
                .replace("ent_ID", entry.id())
        );
        // printf 'movement.changed\ntest/acct_1\nrefund#re_1#0\nfailed' | sha256sum
        assert_eq!(entry.id(), "ent_fb4da2fe76085c529c1f69889177ff85");
    }

    #[test]
    fn time_never_runs_back_and_each_entry_names_the_one_before() {
        let first = changed("live#acct_1#2", "re_1", "failed").at_tip(&Tip::EMPTY, at(5_000)).unwrap();
        let second = changed("live#acct_1#2", "re_2", "failed").at_tip(&first.next_tip(), at(4_000)).unwrap();
        assert_eq!((second.seq(), second.at(), second.prev()), (1, at(5_000), first.leaf_hash()));
    }

    #[test]
    fn test_and_live_entries_have_one_shape() {
        let keys = |log| {
            let entry = changed(log, "re_1", "failed").at_tip(&Tip::EMPTY, at(0)).unwrap();
            entry.fields().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys("test#acct_1#0"), keys("live#acct_1#0"));
    }

    #[test]
    fn anything_but_the_listed_fields_is_refused() {
        let entry = changed("test#acct_1#0", "re_1", "failed").at_tip(&Tip::EMPTY, at(0)).unwrap();
        for name in entry.fields().keys() {
            let mut less = entry.fields().clone();
            less.remove(name);
            assert!(
                Entry::parse(canonical::write(&Value::Object(less)).unwrap().into_bytes()).is_err(),
                "without {name}"
            );
        }
        for (name, value) in [
            ("extra", json!(1)),
            ("v", json!(2)),
            ("seq", json!(-1)),
            ("lane", json!(64)),
            ("prev", json!("0")),
            ("at", json!("2026-10-31")),
            ("mode", json!("dev")),
            ("account", json!("cus_1")),
            ("actor", json!("a@b.example")),
            ("object", json!("re_2")),
            ("status", json!("succeeded")),
            ("kind", json!("gift")),
            ("type", json!("Movement Changed")),
            ("late", json!("no")),
            ("amount_minor", json!("100")),
        ] {
            let mut other = entry.fields().clone();
            other.insert(name.to_owned(), value);
            assert!(Entry::parse(canonical::write(&Value::Object(other)).unwrap().into_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_type_of_later_is_read_but_not_interpreted() {
        let entry = changed("test#acct_1#0", "re_1", "failed").at_tip(&Tip::EMPTY, at(0)).unwrap();
        let mut later = entry.fields().clone();
        later.insert("type".into(), json!("later.thing"));
        later.insert("vote".into(), json!("approve"));
        let later = Entry::parse(canonical::write(&Value::Object(later)).unwrap().into_bytes()).unwrap();
        assert_eq!(later.ty(), "later.thing");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::parse(bytes);
        }

        #[test]
        fn any_changed_byte_changes_the_hash_or_is_refused(at_byte in any::<prop::sample::Index>(), byte: u8) {
            let entry = changed("test#acct_1#0", "re_1", "failed").at_tip(&Tip::EMPTY, at(0)).unwrap();
            let mut bytes = entry.bytes().to_vec();
            let i = at_byte.index(bytes.len());
            prop_assume!(bytes[i] != byte);
            bytes[i] = byte;
            if let Ok(other) = Entry::parse(bytes) {
                prop_assert_ne!(other.leaf_hash(), entry.leaf_hash());
            }
        }
    }
}
