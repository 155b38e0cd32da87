//! The ledger table beside a copy of its export: what the table holds must be what was exported.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axiru_aws::{Clients, Store};
use axiru_domain::LogId;
use axiru_ledger::layout::Name;
use axiru_ledger::verify::{Fault, Folder, Report};

/// Entries that are read at a time.
const PAGE: usize = 1_000;

/// Compares every log of a checked copy with the table, entry by entry. What the table has beyond the copy is only counted.
pub(crate) async fn compare(
    table: &str,
    folder: &dyn Folder,
    report: &mut Report,
    progress: impl Fn(u64),
) -> Result<()> {
    let clients = Clients::load().await;
    // Only the ledger table is read.
    let store = Store::new(clients.dynamodb, "", table);
    let segments = segments(folder)?;
    let mut done = 0;
    for log in report.logs.iter().map(|log| log.log.clone()).collect::<Vec<_>>() {
        let mut seq = 0;
        for file in segments.get(&log).into_iter().flatten() {
            let bytes = folder.read(file).with_context(|| format!("`{file}` cannot be read"))?;
            let lines: Vec<_> = bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n').collect();
            for lines in lines.chunks(PAGE) {
                let entries = store.entries(&log, seq, lines.len()).await;
                let entries =
                    entries.with_context(|| format!("the table `{table}` cannot be read at entry {seq} of {log}"))?;
                let differs = (seq..)
                    .zip(lines)
                    .zip(entries.iter().map(|entry| Some(entry.bytes())).chain(std::iter::repeat(None)));
                for ((seq, line), stored) in differs.filter(|((_, line), stored)| *stored != Some(**line)) {
                    let what = match stored {
                        Some(_) => "the table holds another entry".to_owned(),
                        None => "the table does not hold it".to_owned(),
                    };
                    let _ = line;
                    report.faults.push(Fault { file: file.clone(), seq: Some(seq), what });
                }
                seq += lines.len() as u64;
                done += lines.len() as u64;
                progress(done);
            }
        }
        let tip = store.tip(&log).await.with_context(|| format!("the table `{table}` cannot be read"))?;
        if tip.seq > seq {
            report.unchecked.push(format!("{} entries of {log} that the table has beyond the copy", tip.seq - seq));
        }
    }
    Ok(())
}

/// The segments of every log, in order.
fn segments(folder: &dyn Folder) -> Result<BTreeMap<LogId, Vec<String>>> {
    let mut found: BTreeMap<LogId, BTreeMap<u64, String>> = BTreeMap::new();
    for name in folder.names().context("the copy cannot be listed")? {
        if let Some(Name::Segment(log, _, first, _)) = Name::parse(&name) {
            found.entry(log).or_default().insert(first, name);
        }
    }
    Ok(found.into_iter().map(|(log, files)| (log, files.into_values().collect())).collect())
}
