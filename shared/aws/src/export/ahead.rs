//! Whether the bucket knows more of a log than its lock does.
//!
//! Both tables may have been restored to the same earlier moment: then the lock agrees with the entries, and only the bucket shows that more
//! was signed. To sign on from there would make a second history under one name. The lock is moved before a checkpoint is written, so a
//! lock that is read *after* the newest checkpoint is never behind it by itself.

use axiru_domain::LogId;
use axiru_ledger::checkpoint::Checkpoint;
use axiru_ledger::layout::Name;

use super::lock::Lock;
use super::{ExportError, Exporter};

impl Exporter {
    /// That nothing was signed beyond the lock.
    ///
    /// # Errors
    /// [`ExportError::Rollback`] where something was, and [`ExportError::Overwrite`] where the newest checkpoint is none of this log's.
    pub(super) async fn check_bucket(&self, log: &LogId, lock: &Lock) -> Result<(), ExportError> {
        let name = Name::Newest(log.clone()).text();
        let Some((note, _)) = self.bucket.read(&name).await? else { return Ok(()) };
        let key = self.signer.verifier_key(&self.origin(log)).await?;
        let Ok(newest) = Checkpoint::open(&note, &key) else { return Err(ExportError::Overwrite(name)) };
        if !is_ahead(&newest, lock) {
            return Ok(());
        }
        // Another exporter may have been at it since the lock was read.
        let lock = self.store.export_lock(log).await?;
        if is_ahead(&newest, &lock) {
            return Err(ExportError::Rollback { log: log.clone(), found: lock.size(), signed: newest.size });
        }
        Ok(())
    }
}

fn is_ahead(newest: &Checkpoint, lock: &Lock) -> bool {
    newest.size > lock.size() || (newest.size == lock.size() && newest.root != lock.tree.root())
}
