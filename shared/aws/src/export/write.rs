//! Writing the files of a segment, behind its commit point.

use axiru_domain::{LogId, Scope};
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use axiru_ledger::readers;
use axiru_ledger::tile::Tile;

use super::bucket::Passing;
use super::lock::Lock;
use super::next::Next;
use super::{ExportError, Exporter};

impl Exporter {
    /// Writes every file that the lock's last segment makes: what others need first, the checkpoint behind it, and the name of the newest last.
    pub(super) async fn write(&self, log: &LogId, lock: &mut Lock, next: &Next) -> Result<(), ExportError> {
        let size = lock.size();
        let note = lock.note.clone().unwrap_or_default();
        for sha256 in plans_named(&next.entries) {
            self.write_plan(&log.scope, &sha256).await?;
        }
        let key = format!("{}\n", self.signer.verifier_key(&self.origin(log)).await?);
        if next.segment.first == 0 {
            self.bucket.put_once(&Name::Key(log.clone()), key.as_bytes()).await?;
            // An earlier version of this program may have written other words.
            self.bucket.put_new(&Name::Readme(log.clone()), readers::README.as_bytes()).await?;
            self.bucket.put_new(&Name::Script(log.clone()), readers::SCRIPT.as_bytes()).await?;
        }
        for Tile { path, bytes } in &next.growth.full {
            self.bucket.put_once(&Name::Tile(log.clone(), *path), bytes).await?;
        }
        for Tile { path, bytes } in &next.growth.partial {
            self.bucket.put_passing(&Name::Tile(log.clone(), *path), bytes, Passing::Partial).await?;
        }
        self.bucket.put_once(&next.segment.name(), &next.segment.bytes).await?;
        self.bucket.put_once(&Name::Note(log.clone(), size), note.as_bytes()).await?;
        if next.segment.first == 0 {
            self.bucket.add_line(&Name::AllKeys.text(), &key).await?;
        }
        self.bucket.put_passing(&Name::Newest(log.clone()), note.as_bytes(), Passing::Newest).await?;
        let root = lock.tree.root();
        self.store.mark_published(log, size, root).await?;
        (lock.published, lock.published_root) = (size, root);
        Ok(())
    }

    async fn write_plan(&self, scope: &Scope, sha256: &str) -> Result<(), ExportError> {
        let (Ok(hash), Some(document)) = (sha256.parse(), self.store.plan_document(scope, sha256).await?) else {
            // The plan was unusable when it was asked, and the entry says so; `verify` will name it.
            return Ok(());
        };
        Ok(self.bucket.put_once(&Name::Plan(scope.clone(), hash), &document).await?)
    }
}

/// The plan documents that entries name, none twice.
fn plans_named(entries: &[Entry]) -> std::collections::BTreeSet<String> {
    entries.iter().flat_map(Entry::plans).map(|hash| hash.to_string()).collect()
}
