//! Proofs, made and checked before anybody gets them.

use anyhow::{Context, Result};
use axiru_domain::LogId;
use axiru_ledger::checkpoint::Checkpoint;
use axiru_ledger::entry::Entry;
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::note::VerifierKey;
use axiru_ledger::proof::inclusion;
use axiru_ledger::tlog_proof::TlogProof;
use axiru_ledger::verify::log_of;

use super::about::About;
use crate::place::Place;
use crate::tiles::Tiles;

/// Entries with their proofs against one checkpoint.
pub(super) struct Proven {
    pub(super) checkpoint: Checkpoint,
    pub(super) entries: Vec<(Entry, TlogProof)>,
}

/// A log whose newest checkpoint is signed.
struct Signed<'a> {
    log: &'a LogId,
    key: &'a VerifierKey,
    note: String,
    checkpoint: Checkpoint,
}

/// Proves entries against the newest checkpoint of their log; the inner error says, in words, why that is not possible.
pub(super) async fn prove(place: &Place, about: &About, keys: &[VerifierKey]) -> Result<Result<Proven, String>> {
    let signed = match newest(place, &about.log, keys).await? {
        Ok(signed) => signed,
        Err(what) => return Ok(Err(what)),
    };
    let size = signed.checkpoint.size;
    if let Some(late) = about.entries.iter().find(|entry| entry.seq() >= size) {
        let seq = late.seq();
        return Ok(Err(format!(
            "entry {seq} is not signed yet: the newest checkpoint covers {size} entries. Pull again"
        )));
    }
    if let Some(entries) = signed.by_tiles(place, &about.entries).await? {
        return Ok(Ok(Proven { checkpoint: signed.checkpoint, entries }));
    }
    let leaves = leaves(place, &about.segments).await?;
    let proofs: Option<Vec<_>> = about.entries.iter().map(|entry| signed.by_leaves(entry, &leaves)).collect();
    let what = || format!("neither tiles nor entries lead to the root of `{}`", Name::Newest(about.log.clone()).text());
    Ok(proofs.map(|entries| Proven { checkpoint: signed.checkpoint, entries }).ok_or_else(what))
}

/// The newest checkpoint of a log.
async fn newest<'a>(place: &Place, log: &'a LogId, keys: &'a [VerifierKey]) -> Result<Result<Signed<'a>, String>> {
    let file = Name::Newest(log.clone());
    let bytes = place.read(&file).await?.with_context(|| format!("`{}` is missing", file.text()))?;
    let mut what = format!("no key was given for {}", log.path());
    for key in keys.iter().filter(|key| log_of(key).as_ref() == Some(log)) {
        match Checkpoint::open(&bytes, key) {
            Ok(checkpoint) => {
                let note = String::from_utf8(bytes).context("a note that is not UTF-8")?;
                return Ok(Ok(Signed { log, key, note, checkpoint }));
            }
            Err(error) => what = format!("{}: {error}", file.text()),
        }
    }
    Ok(Err(what))
}

/// The leaf hashes of a log, from all its entries.
async fn leaves(place: &Place, segments: &[Name]) -> Result<Vec<Hash>> {
    let mut leaves = Vec::new();
    for name in segments {
        let bytes = place.read(name).await?.with_context(|| format!("`{}` is gone", name.text()))?;
        leaves.extend(bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(Hash::leaf));
    }
    Ok(leaves)
}

impl Signed<'_> {
    /// Nothing when the tiles are not there, or do not make the root.
    async fn by_tiles(&self, place: &Place, entries: &[Entry]) -> Result<Option<Vec<(Entry, TlogProof)>>> {
        let tiles = Tiles::new(place, self.log);
        let size = self.checkpoint.size;
        let mut proven = Vec::new();
        for entry in entries {
            let Ok(hashes) = tiles.ask(size, |nodes| inclusion(nodes, entry.seq(), size)).await? else {
                return Ok(None);
            };
            let Some(entry) = self.checked(entry, hashes) else { return Ok(None) };
            proven.push(entry);
        }
        Ok(Some(proven))
    }

    fn by_leaves(&self, entry: &Entry, leaves: &[Hash]) -> Option<(Entry, TlogProof)> {
        let hashes = inclusion(leaves, entry.seq(), self.checkpoint.size).ok()?;
        self.checked(entry, hashes)
    }

    /// The proof that these hashes make, if they do.
    fn checked(&self, entry: &Entry, hashes: Vec<Hash>) -> Option<(Entry, TlogProof)> {
        let proof = TlogProof { extra: None, index: entry.seq(), hashes, note: self.note.clone() };
        proof.verify(entry.bytes(), self.key).ok()?;
        Some((entry.clone(), proof))
    }
}
