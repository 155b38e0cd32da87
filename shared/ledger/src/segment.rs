//! Segments: the deterministic cut of a log into files.
//!
//! A segment ends where a checkpoint is, and never spans a UTC day. Its bytes follow from its entries alone.

use axiru_domain::{Date, LogId};

use crate::entry::Entry;
use crate::layout::Name;

/// Upper bound of a segment's entries: 4,096 of at most 16 KiB are 64 MiB, and in practice some 3 MiB.
pub const MAX_ENTRIES: usize = 4_096;

/// A file of consecutive entries of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The log.
    pub log: LogId,
    /// The day of all its entries.
    pub day: Date,
    /// First entry.
    pub first: u64,
    /// Last entry.
    pub last: u64,
    /// The file: each entry followed by a line feed.
    pub bytes: Vec<u8>,
}

/// The longest segment that the head of `entries` makes: all of one day, at most [`MAX_ENTRIES`].
/// `None` without entries. The entries are consecutive entries of one log.
#[must_use]
pub fn cut(entries: &[Entry]) -> Option<Segment> {
    let head = entries.first()?;
    let day = head.at().date();
    let same_day = entries.iter().take(MAX_ENTRIES).take_while(|entry| entry.at().date() == day);
    let mut segment = Segment { log: head.log().clone(), day, first: head.seq(), last: head.seq(), bytes: Vec::new() };
    for entry in same_day {
        segment.last = entry.seq();
        segment.bytes.extend_from_slice(entry.bytes());
        segment.bytes.push(b'\n');
    }
    Some(segment)
}

impl Segment {
    /// The file's name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::Segment(self.log.clone(), self.day, self.first, self.last)
    }

    /// Number of entries.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Never true: a segment has at least one entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }
}
