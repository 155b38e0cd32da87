//! What goes across logs: keys, plans, reports, the heads of lanes, and what the auditor remembers.

use std::collections::BTreeMap;

use axiru_domain::{Lane, LogId, Scope};
use serde_json::Value;

use super::files::Files;
use super::{Folder, Remembered, Report, Trusted, parse_keys};
use crate::entry::Entry;
use crate::hash::Hash;
use crate::layout::Name;
use crate::types::EntryType;

/// Where something was named first: the file, and the entry.
type Place = (String, u64);

/// What entries say of other files and logs.
#[derive(Default)]
pub(super) struct Across {
    plans: BTreeMap<(Scope, Hash), Place>,
    reconciled: BTreeMap<(Scope, String, Hash), Place>,
    heads: Vec<(Place, LogId, u64, Hash)>,
    alarms: Vec<String>,
}

impl Across {
    /// The list of keys in the copy must not differ from the trusted one where both name a log.
    pub(super) fn keys(&self, folder: &dyn Folder, files: &Files, trusted: &Trusted, report: &mut Report) {
        if !files.all_keys {
            return;
        }
        let file = Name::AllKeys.text();
        let exact = |bytes: Vec<u8>| {
            let listed = parse_keys(&bytes)?;
            let text: String = listed.iter().map(|key| format!("{key}\n")).collect();
            if text.into_bytes() == bytes { Ok(listed) } else { Err("not one key a line".to_owned()) }
        };
        match folder.read(&file).map_err(|error| error.to_string()).and_then(exact) {
            Ok(listed) => {
                for key in listed.iter().filter(|key| !trusted.keys.contains(key)) {
                    let what = if trusted.keys.iter().any(|trusted| trusted.name() == key.name()) {
                        format!("the key of `{}` is not the trusted one", key.name())
                    } else {
                        format!("`{}` is not among the trusted keys", key.name())
                    };
                    report.fault(&file, None, what);
                }
            }
            Err(what) => report.fault(&file, None, what),
        }
    }

    /// An entry of a log, from `file`.
    pub(super) fn entry(&mut self, file: &str, entry: &Entry) {
        let place = || (file.to_owned(), entry.seq());
        let (scope, fields) = (&entry.log().scope, entry.fields());
        for sha256 in entry.plans() {
            self.plans.entry((scope.clone(), sha256)).or_insert_with(place);
        }
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        match entry.ty().parse() {
            Ok(EntryType::ReconcileReported) => {
                let hash = text("report_sha256").and_then(|hash| hash.parse().ok());
                if let Some((period, hash)) = text("period").zip(hash) {
                    self.reconciled.entry((scope.clone(), period.to_owned(), hash)).or_insert_with(place);
                }
            }
            Ok(EntryType::LanesHeads) => {
                for head in fields.get("heads").and_then(Value::as_array).into_iter().flatten() {
                    let number = |name: &str| head.get(name).and_then(Value::as_u64);
                    let lane = number("lane").and_then(|lane| lane.to_string().parse::<Lane>().ok());
                    let root = head.get("root").and_then(Value::as_str).and_then(|root| root.parse().ok());
                    if let Some(((lane, size), root)) = lane.zip(number("size")).zip(root) {
                        self.heads.push((place(), LogId { scope: scope.clone(), lane }, size, root));
                    }
                }
            }
            Ok(EntryType::AlarmRaised) => {
                let of = |name: &str| fields.get(name).map(Value::to_string).unwrap_or_default();
                let alarm = text("alarm").unwrap_or("?");
                let mode = text("of_mode").unwrap_or("?");
                self.alarms.push(format!(
                    "{file}, entry {}: `{alarm}` in lane {} of {mode} at entry {}; nothing more of that log was signed",
                    entry.seq(),
                    of("of_lane"),
                    of("of_seq"),
                ));
            }
            _ => {}
        }
    }

    /// Behind the last log.
    pub(super) fn finish(self, folder: &dyn Folder, files: &Files, trusted: &Trusted, report: &mut Report) {
        self.check_plans(folder, files, report);
        self.check_reconciled(folder, files, report);
        self.check_heads(report);
        check_remembered(trusted, report);
        report.alarms = self.alarms;
    }

    fn check_plans(&self, folder: &dyn Folder, files: &Files, report: &mut Report) {
        for (scope, sha256) in &files.plans {
            if is_named(folder, Name::Plan(scope.clone(), *sha256), sha256, "plan", report) {
                report.plans += 1;
            }
        }
        for (plan, (file, seq)) in self.plans.iter().filter(|(plan, _)| !files.plans.contains(plan)) {
            report.fault(file, Some(*seq), format!("the plan `{}` it names is not in the copy", plan.1));
        }
    }

    fn check_reconciled(&self, folder: &dyn Folder, files: &Files, report: &mut Report) {
        for key @ (scope, period, sha256) in &files.reconciled {
            let name = Name::Reconciled(scope.clone(), period.clone(), *sha256);
            if is_named(folder, name.clone(), sha256, "report", report) {
                report.reconciled += 1;
                if !self.reconciled.contains_key(key) {
                    report.unchecked.push(format!("{}: no entry names the report yet", name.text()));
                }
            }
        }
        for (named, (file, seq)) in self.reconciled.iter().filter(|(named, _)| !files.reconciled.contains(named)) {
            report.fault(file, Some(*seq), format!("the report `{}` it names is not in the copy", named.2));
        }
    }

    /// A lane that is listed must be there, as far as the list says, with the root it says.
    fn check_heads(&self, report: &mut Report) {
        for ((file, seq), log, size, root) in &self.heads {
            let found = report.logs.iter().find(|found| found.log == *log);
            let entries = found.map_or(0, |found| found.entries);
            let what = match found.and_then(|found| found.roots.get(size)) {
                Some(found) if found == root => {
                    report.heads += 1;
                    continue;
                }
                Some(_) => format!("it says another root of {log} at {size} entries"),
                // The empty tree has one root.
                None if *size == 0 && *root == Hash::of(b"") => {
                    report.heads += 1;
                    continue;
                }
                None if entries < *size => {
                    format!("it says that {log} has {size} entries, and the copy has {entries} of it")
                }
                None => format!("it says that {log} was signed at {size} entries, and there is no such checkpoint"),
            };
            report.fault(file, Some(*seq), what);
        }
    }
}

/// True when the file's bytes have the hash of its name.
fn is_named(folder: &dyn Folder, name: Name, sha256: &Hash, what: &str, report: &mut Report) -> bool {
    let file = name.text();
    match folder.read(&file) {
        Ok(bytes) if Hash::of(&bytes) == *sha256 => return true,
        Ok(_) => report.fault(file, None, format!("the {what}'s bytes do not have the hash of its name")),
        Err(error) => report.fault(file, None, error.to_string()),
    }
    false
}

/// Every log must continue the checkpoints of it that were seen earlier.
fn check_remembered(trusted: &Trusted, report: &mut Report) {
    for (log, checkpoint) in &trusted.since {
        let file = Name::Newest(log.clone()).text();
        let size = checkpoint.size;
        let found = report.logs.iter().find(|found| found.log == *log);
        let entries = found.map_or(0, |found| found.entries);
        match found.and_then(|found| found.roots.get(&size)) {
            Some(root) if *root == checkpoint.root => report.remembered.push(Remembered { log: log.clone(), size }),
            Some(_) => {
                let what = format!(
                    "the first {size} entries are not those of the checkpoint that you remember: history was changed"
                );
                report.fault(file, None, what);
            }
            None => {
                let what =
                    format!("you remember a checkpoint of {size} entries, and the copy has {entries} right ones");
                report.fault(file, Some(entries), what);
            }
        }
    }
}
