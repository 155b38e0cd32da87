//! The names of tiles, tlog-tiles, "Merkle Tree" and "Log entries".

use super::{MAX_LEVEL, WIDTH};

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Hashes of this level, 0 to [`MAX_LEVEL`].
    Hashes(u8),
    /// Entries: a bundle.
    Entries,
}

/// The name of a tile: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, relative to the log's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: Kind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// The tile number `index` of its level, counted from 0, with `width` hashes or entries.
    /// `None` for a level above [`MAX_LEVEL`] or a width that is not 1 to [`WIDTH`].
    #[must_use]
    pub fn new(kind: Kind, index: u64, width: u16) -> Option<Self> {
        let level_exists = !matches!(kind, Kind::Hashes(level) if level > MAX_LEVEL);
        (level_exists && (1..=WIDTH).contains(&width)).then_some(Self { kind, index, width })
    }

    /// The bundle that ends a log of `size` entries, full or partial; `None` for the empty log.
    #[must_use]
    pub fn last_bundle(size: u64) -> Option<Self> {
        let last = size.checked_sub(1)?;
        let width = u16::try_from(last % u64::from(WIDTH)).ok()? + 1;
        Self::new(Kind::Entries, last / u64::from(WIDTH), width)
    }

    /// For a caller whose numbers are in bounds by construction.
    pub(super) const fn in_bounds(kind: Kind, index: u64, width: u16) -> Self {
        Self { kind, index, width }
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its number within its level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to [`WIDTH`].
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// True when it is full, and so never changes.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The name's text.
    #[must_use]
    pub fn text(&self) -> String {
        let kind = match self.kind {
            Kind::Hashes(level) => level.to_string(),
            Kind::Entries => "entries".to_owned(),
        };
        let index = index_text(self.index);
        if self.is_full() { format!("tile/{kind}/{index}") } else { format!("tile/{kind}/{index}.p/{}", self.width) }
    }

    /// Reads a name; `None` for anything else, also for another spelling of the same numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path = Self::parse_loosely(text)?;
        // INVARIANT: a tile has one name.
        (path.text() == text).then_some(path)
    }

    fn parse_loosely(text: &str) -> Option<Self> {
        let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
        let kind = if kind == "entries" { Kind::Entries } else { Kind::Hashes(kind.parse().ok()?) };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        Self::new(kind, parse_index(index)?, width)
    }
}

/// Groups of three digits, all but the last marked: 1234067 is `x001/x234/067`.
fn index_text(index: u64) -> String {
    let last = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    let mut groups = vec![last];
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1_000));
        rest /= 1_000;
    }
    groups.reverse();
    groups.join("/")
}

fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |index, group| {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index.checked_mul(1_000)?.checked_add(group)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(kind: Kind, index: u64, width: u16) -> TilePath {
        TilePath::new(kind, index, width).unwrap()
    }

    #[test]
    fn names_are_written_and_read_back() {
        for (path, text) in [
            (path(Kind::Hashes(0), 0, 256), "tile/0/000"),
            (path(Kind::Hashes(0), 273, 112), "tile/0/273.p/112"),
            (path(Kind::Hashes(2), 0, 1), "tile/2/000.p/1"),
            (path(Kind::Hashes(63), 999, 255), "tile/63/999.p/255"),
            (path(Kind::Hashes(1), 1_000, 256), "tile/1/x001/000"),
            (path(Kind::Entries, 1_234_067, 256), "tile/entries/x001/x234/067"),
            (path(Kind::Entries, 1_234_067, 8), "tile/entries/x001/x234/067.p/8"),
            (path(Kind::Entries, u64::MAX, 256), "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ] {
            assert_eq!(path.text(), text);
            assert_eq!(TilePath::parse(text), Some(path));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for bad in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile//0/000",
            "tile/00/000",
            "tile/+0/000",
            "tile/-1/000",
            "tile/64/000",
            "tile/256/000",
            "tile/8/0/000",
            "tile/data/000",
            "tile/Entries/000",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/+00",
            "tile/0/x000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001/x001",
            "tile/0/x001/1",
            "tile/0/xx01/001",
            "tile/0/X001/001",
            "tile/0/001.p",
            "tile/0/001.p/",
            "tile/0/001.p/0",
            "tile/0/001.p/01",
            "tile/0/001.p/256",
            "tile/0/001.p/257",
            "tile/0/001.p/+1",
            "tile/0/001.p/1/",
            "tile/0/001.p/1.p/1",
            "tile/0/x001.p/1/001",
            "tile/0/001 ",
            "tile/0/\u{661}00",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
            "tile/entries/x001/x000/x000/x000/x000/x000/x000/000",
        ] {
            assert_eq!(TilePath::parse(bad), None, "{bad}");
        }
        assert_eq!(TilePath::new(Kind::Hashes(64), 0, 1), None);
        assert_eq!(TilePath::new(Kind::Entries, 0, 0), None);
        assert_eq!(TilePath::new(Kind::Entries, 0, 257), None);
    }

    #[test]
    fn the_last_bundle_of_a_log() {
        assert_eq!(TilePath::last_bundle(0), None);
        for (size, text) in [(1, "000.p/1"), (255, "000.p/255"), (256, "000"), (257, "001.p/1"), (70_000, "273.p/112")]
        {
            assert_eq!(TilePath::last_bundle(size).unwrap().text(), format!("tile/entries/{text}"));
        }
        assert_eq!(TilePath::last_bundle(u64::MAX).unwrap().width(), 255);
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(level in 0..=63_u8, entries: bool, index: u64, shift in 0..64_u32, width in 1..=256_u16) {
            let kind = if entries { Kind::Entries } else { Kind::Hashes(level) };
            let path = path(kind, index >> shift, width);
            prop_assert_eq!(TilePath::parse(&path.text()), Some(path));
        }

        #[test]
        fn no_text_panics_and_what_is_read_is_spelled_so(text in "(tile/)?(entries|[0-9]{0,3})[x0-9/.p+]{0,24}|.{0,40}") {
            if let Some(path) = TilePath::parse(&text) {
                prop_assert_eq!(path.text(), text);
            }
        }
    }
}
