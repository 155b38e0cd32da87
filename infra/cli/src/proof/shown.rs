//! The folder that is handed to somebody else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use axiru_ledger::tlog_proof::EXTENSION;

use super::made::Proven;
use crate::new_file::part_of;

/// The one file that is neither an entry nor a proof.
pub(super) const README: &str = "README.txt";

/// Fails when there is something at `folder` already.
pub(super) fn must_be_free(folder: &Path) -> Result<()> {
    if folder.symlink_metadata().is_ok() {
        bail!("`{}` exists already; give another folder with `--out`, or move it away", folder.display());
    }
    Ok(())
}

/// Writes the folder: all of it, or nothing.
pub(super) fn write(folder: &Path, request: &str, proven: &Proven) -> Result<()> {
    must_be_free(folder)?;
    let part = part_of(folder)?;
    let written = write_files(&part, request, proven).and_then(|()| Ok(fs::rename(&part, folder)?));
    if written.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    written.with_context(|| format!("`{}` cannot be written", folder.display()))
}

fn write_files(folder: &Path, request: &str, proven: &Proven) -> Result<()> {
    fs::create_dir(folder)?;
    for (entry, proof) in &proven.entries {
        fs::write(folder.join(format!("{}.json", entry.seq())), entry.bytes())?;
        fs::write(folder.join(format!("{}.{EXTENSION}", entry.seq())), proof.text())?;
    }
    Ok(fs::write(folder.join(README), readme(request, proven))?)
}

fn readme(request: &str, proven: &Proven) -> String {
    let checkpoint = &proven.checkpoint;
    let (origin, size, root) = (&checkpoint.origin, checkpoint.size, checkpoint.root.base64());
    let first = proven.entries.first().map_or(0, |(entry, _)| entry.seq());
    format!(
        "Entries of a ledger about the request {request}, each with a proof that it stands in the log

    {origin}

as its checkpoint of {size} entries, with the root {root}, was signed.

    <number>.json         the entry, byte for byte. An editor that adds a line feed breaks the proof.
    <number>.{EXTENSION}   the proof, in the format of c2sp.org/tlog-proof.

To check it, offline:

    axiru proof check FOLDER --vkey log.vkey

`log.vkey` is the log's public key. Take it from whoever runs the ledger, not from whoever gave you this folder.

With another program for tlog-proof: the leaf hash of an entry is the SHA-256 of a zero byte followed by the file, so

    (printf '\\0'; cat {first}.json) | sha256sum

and the proof leads from there to the root that the note at its end signs.

What it shows: these entries stand in the log at their numbers, with these bytes, since that checkpoint.
What it does not show: that there is no further entry about the request; that the log was not written anew as a whole before the
checkpoint, which checkpoints kept by others show. Of other entries the proofs hold hashes and nothing else.
"
    )
}
