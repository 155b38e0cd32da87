//! What a copy of the export holds of every log.

use std::collections::BTreeMap;
use std::io;

use axiru_domain::LogId;
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use axiru_ledger::verify::Folder;

use super::Exported;

/// Reads every log of a copy, which was verified before: here nothing is checked again but that it can be read.
///
/// # Errors
/// Whatever cannot be read.
pub fn exported(folder: &dyn Folder) -> io::Result<Vec<Exported>> {
    let mut segments: BTreeMap<LogId, BTreeMap<u64, String>> = BTreeMap::new();
    for name in folder.names()? {
        if let Some(Name::Segment(log, _, first, _)) = Name::parse(&name) {
            segments.entry(log).or_default().insert(first, name);
        }
    }
    segments.into_iter().map(|(log, files)| of_log(folder, log, &files)).collect()
}

fn of_log(folder: &dyn Folder, log: LogId, files: &BTreeMap<u64, String>) -> io::Result<Exported> {
    let wrong =
        |file: &str| io::Error::new(io::ErrorKind::InvalidData, format!("`{file}` is not as an export writes it"));
    let mut entries: Vec<Entry> = Vec::new();
    for file in files.values() {
        let bytes = folder.read(file)?;
        for line in bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n') {
            let entry = Entry::parse(line.to_vec()).map_err(|_| wrong(file))?;
            if entry.seq() != entries.len() as u64 || *entry.log() != log {
                return Err(wrong(file));
            }
            entries.push(entry);
        }
    }
    let note = Name::Note(log.clone(), entries.len() as u64).text();
    let note = String::from_utf8(folder.read(&note)?).map_err(|_| wrong(&note))?;
    Ok(Exported { log, entries, first: files.keys().next_back().copied().unwrap_or_default(), note })
}
