//! A copy that stays what it was when it was checked.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::io;

use axiru_ledger::hash::Hash;
use axiru_ledger::verify::Folder;

/// A folder whose files may not change between two readings: what was checked is what is exported.
pub(super) struct Pinned {
    folder: Box<dyn Folder>,
    names: OnceCell<Vec<String>>,
    read: RefCell<BTreeMap<String, Hash>>,
}

impl Pinned {
    /// Pins a folder from its first reading on.
    pub(super) fn new(folder: Box<dyn Folder>) -> Self {
        Self { folder, names: OnceCell::new(), read: RefCell::default() }
    }
}

impl Folder for Pinned {
    fn names(&self) -> io::Result<Vec<String>> {
        match self.names.get() {
            Some(names) => Ok(names.clone()),
            None => self.folder.names().map(|names| self.names.get_or_init(|| names).clone()),
        }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let bytes = self.folder.read(name)?;
        let hash = Hash::of(&bytes);
        match self.read.borrow_mut().insert(name.to_owned(), hash) {
            Some(before) if before != hash => Err(io::Error::other("it was changed since it was checked")),
            _ => Ok(bytes),
        }
    }
}
