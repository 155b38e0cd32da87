//! What the files of a day hold, as one line of canonical JSON.

use std::collections::BTreeMap;

use axiru_domain::Date;
use serde_json::{Value, json};

use crate::canonical::{self, CanonicalError};
use crate::entry::Entry;
use crate::hash::Hash;
use crate::layout::DailyFile;

/// Version of the manifest's form.
const VERSION: u64 = 1;

/// What the day's entries add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries of each type.
    types: BTreeMap<String, u64>,
    /// Entries that bear a decision, by its outcome.
    outcomes: BTreeMap<String, u64>,
    /// Sums of `amount_minor`, by type, then currency. Never across currencies. Wide enough for any number of entries.
    sums: BTreeMap<String, BTreeMap<String, i128>>,
}

impl Totals {
    /// Counts an entry.
    pub fn add(&mut self, entry: &Entry) {
        *self.types.entry(entry.ty().to_owned()).or_default() += 1;
        let fields = entry.fields();
        if let Some(outcome) = fields.get("decision").and_then(|d| d.get("outcome")).and_then(Value::as_str) {
            *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
        let currency = fields.get("currency").and_then(Value::as_str);
        if let (Some(amount), Some(currency)) = (fields.get("amount_minor").and_then(Value::as_i64), currency) {
            let sums = self.sums.entry(entry.ty().to_owned()).or_default();
            *sums.entry(currency.to_owned()).or_default() += i128::from(amount);
        }
    }

    fn sums(&self) -> Value {
        let text = |sums: &BTreeMap<String, i128>| sums.iter().map(|(c, sum)| (c.clone(), sum.to_string())).collect();
        self.sums.iter().map(|(ty, sums)| (ty.clone(), Value::Object(text_values(text(sums))))).collect()
    }
}

fn text_values(texts: BTreeMap<String, String>) -> serde_json::Map<String, Value> {
    texts.into_iter().map(|(name, text)| (name, Value::String(text))).collect()
}

/// One of the files.
pub(super) struct File {
    pub(super) file: DailyFile,
    pub(super) sha256: Hash,
    pub(super) bytes: u64,
}

/// A manifest.
pub(super) struct Manifest<'a> {
    pub(super) origin: &'a str,
    pub(super) day: Date,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) root: Hash,
    pub(super) before: Option<Hash>,
    pub(super) plain_sha256: Hash,
    pub(super) plain_bytes: u64,
    pub(super) files: [File; 2],
    pub(super) totals: &'a Totals,
}

impl Manifest<'_> {
    /// The file's text, ended by a line feed. Sums are text: they may be larger than what every JSON reader keeps exactly.
    pub(super) fn text(&self) -> Result<String, CanonicalError> {
        let files = self.files.iter().map(|file| {
            let name = file.file.as_str();
            (name.to_owned(), json!({"bytes": file.bytes, "sha256": file.sha256.to_string()}))
        });
        let text = canonical::write(&json!({
            "day": self.day.to_string(),
            "entries": self.last - self.first + 1,
            "files": files.collect::<serde_json::Map<_, _>>(),
            "first": self.first,
            "last": self.last,
            "ndjson": {"bytes": self.plain_bytes, "sha256": self.plain_sha256.to_string()},
            "origin": self.origin,
            "outcomes": self.totals.outcomes,
            "prev_manifest_sha256": self.before.map(|hash| hash.to_string()),
            "root": self.root.to_string(),
            "size": self.last + 1,
            "sums_minor": self.totals.sums(),
            "types": self.totals.types,
            "v": VERSION,
        }))?;
        Ok(format!("{text}\n"))
    }
}
