//! The tree of a log, from the tiles of an export: only those that a question needs are read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;
use axiru_domain::LogId;
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::proof::{Nodes, ProofError, TileNodes};
use axiru_ledger::tile::{TilePath, WIDTH};

use crate::place::Place;

/// The tiles of one log.
pub(crate) struct Tiles<'a> {
    place: &'a Place,
    log: LogId,
    /// What was read; nothing where there is no such file.
    read: RefCell<BTreeMap<TilePath, Option<Vec<u8>>>>,
}

impl<'a> Tiles<'a> {
    pub(crate) fn new(place: &'a Place, log: &LogId) -> Self {
        Self { place, log: log.clone(), read: RefCell::default() }
    }

    /// Asks something of the tree of `size` entries.
    ///
    /// Whatever makes proofs reads at once, and a bucket does not answer at once: so it is asked again and again, each time with the
    /// one tile more that it missed. A proof needs one or two tiles of each level.
    pub(crate) async fn ask<T>(
        &self,
        size: u64,
        question: impl Fn(&dyn Nodes) -> Result<T, ProofError>,
    ) -> Result<Result<T, ProofError>> {
        loop {
            let wanted = RefCell::new(None);
            let read = |path: TilePath| match self.read.borrow().get(&path) {
                Some(bytes) => bytes.clone(),
                None => {
                    wanted.borrow_mut().get_or_insert(path);
                    None
                }
            };
            let answer = question(&FromBelow { tiles: TileNodes::new(size, read), wanted: &wanted });
            let Some(path) = wanted.take() else { return Ok(answer) };
            let bytes = self.place.read(&Name::Tile(self.log.clone(), path)).await?;
            self.read.borrow_mut().insert(path, bytes);
        }
    }
}

/// Nodes from tiles. A node that is in none follows from the tiles of the level below: partial tiles expire.
struct FromBelow<'a, F> {
    tiles: TileNodes<F>,
    /// The tile to read next.
    wanted: &'a RefCell<Option<TilePath>>,
}

impl<F: Fn(TilePath) -> Option<Vec<u8>>> Nodes for FromBelow<'_, F> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let unread = || self.wanted.borrow().is_some();
        // With a tile to read, this round is lost anyway.
        if unread() {
            return None;
        }
        let found = self.tiles.node(level, index);
        if found.is_some() || unread() {
            return found;
        }
        let (below, left) = (level.checked_sub(1)?, index.checked_mul(2)?);
        Some(Hash::node(self.node(below, left)?, self.node(below, left + 1)?))
    }
}

/// What is missing when a proof cannot be made, in words.
pub(crate) fn missing(error: &ProofError) -> String {
    match error {
        ProofError::Missing { level, index } => {
            let count = 1_u64.checked_shl(u32::from(*level)).unwrap_or(u64::MAX);
            let first = index.saturating_mul(count);
            let last = first.saturating_add(count - 1);
            let tile = first / u64::from(WIDTH);
            format!(
                "the tiles over entries {first} to {last} are not there, neither whole nor partial (number {tile} of level 0)"
            )
        }
        other => other.to_string(),
    }
}
