//! The names of exported files, `docs/ledger-format.md` "In S3 and on disk".

use axiru_domain::{Date, LogId, Mode, Scope};

use crate::hash::Hash;
use crate::tile::TilePath;

/// First part of every name: the version of the layout.
pub const ROOT: &str = "v1";

/// The list of every log's key.
pub const ALL_KEYS: &str = "v1/log.vkey";

/// One of the files of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DailyFile {
    /// The day's lines, compressed.
    Gzip,
    /// The day as a table.
    Csv,
    /// What both hold.
    Manifest,
}

impl DailyFile {
    /// Every file of a day, in the order in which they are written: the manifest names the others.
    pub const ALL: [Self; 3] = [Self::Gzip, Self::Csv, Self::Manifest];

    /// The file's name in the folder of its day.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "ledger.ndjson.gz",
            Self::Csv => "ledger.csv",
            Self::Manifest => "manifest.json",
        }
    }
}

/// An exported file, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// [`ALL_KEYS`].
    AllKeys,
    /// A plan document.
    Plan(Scope, Hash),
    /// A log's key.
    Key(LogId),
    /// A segment: first and last entry.
    Segment(LogId, Date, u64, u64),
    /// A checkpoint of a size.
    Note(LogId, u64),
    /// The newest checkpoint.
    Newest(LogId),
    /// A tile of hashes or a bundle of entries.
    Tile(LogId, TilePath),
    /// A file of a day.
    Daily(LogId, Date, DailyFile),
    /// How to read and check the folder of a log.
    Readme(LogId),
    /// A program that checks the folder of a log.
    Script(LogId),
    /// The comparison of a period, named as its entry names it, with what Stripe lists.
    Reconciled(Scope, String, Hash),
}

/// The folder of a log.
#[must_use]
pub fn log_prefix(log: &LogId) -> String {
    format!("{ROOT}/{}/", log.path())
}

impl Name {
    /// The name's text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::AllKeys => ALL_KEYS.to_owned(),
            Self::Plan(scope, sha256) => format!("{ROOT}/{scope}/plans/{sha256}.json"),
            Self::Key(log) => format!("{}log.vkey", log_prefix(log)),
            Self::Segment(log, day, first, last) => {
                format!("{}entries/dt={day}/{first:020}-{last:020}.ndjson", log_prefix(log))
            }
            Self::Note(log, size) => format!("{}checkpoints/{size:020}.note", log_prefix(log)),
            Self::Newest(log) => format!("{}checkpoint", log_prefix(log)),
            Self::Tile(log, path) => format!("{}{}", log_prefix(log), path.text()),
            Self::Daily(log, day, file) => format!("{}daily/dt={day}/{}", log_prefix(log), file.as_str()),
            Self::Readme(log) => format!("{}README.txt", log_prefix(log)),
            Self::Script(log) => format!("{}verify.py", log_prefix(log)),
            Self::Reconciled(scope, period, sha256) => format!("{ROOT}/{scope}/reconcile/{period}/{sha256}.json"),
        }
    }

    /// The mode of what the file is about; none for the list of all keys.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        match self {
            Self::AllKeys => None,
            Self::Plan(scope, _) | Self::Reconciled(scope, ..) => Some(scope.mode()),
            Self::Key(log)
            | Self::Segment(log, ..)
            | Self::Note(log, _)
            | Self::Newest(log)
            | Self::Tile(log, _)
            | Self::Daily(log, ..)
            | Self::Readme(log)
            | Self::Script(log) => Some(log.scope.mode()),
        }
    }

    /// Reads a name; `None` for a file that is not part of an export.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = Self::parse_loosely(text)?;
        // INVARIANT: a file has one name; other spellings of the same numbers are not part of an export.
        (name.text() == text).then_some(name)
    }

    fn parse_loosely(text: &str) -> Option<Self> {
        if text == ALL_KEYS {
            return Some(Self::AllKeys);
        }
        let parts: Vec<_> = text.split('/').collect();
        let [root, mode, account, rest @ ..] = parts.as_slice() else {
            return None;
        };
        if *root != ROOT {
            return None;
        }
        if let ["plans", file] = rest {
            let scope = format!("{mode}/{account}").parse().ok()?;
            return Some(Self::Plan(scope, file.strip_suffix(".json")?.parse().ok()?));
        }
        if let ["reconcile", period, file] = rest {
            let scope = format!("{mode}/{account}").parse().ok()?;
            let period = Some(*period).filter(|period| is_period(period))?;
            return Some(Self::Reconciled(scope, period.to_owned(), file.strip_suffix(".json")?.parse().ok()?));
        }
        let (lane, rest) = rest.split_first()?;
        let log = LogId::from_key(&format!("{mode}#{account}#{lane}")).ok()?;
        match rest {
            ["log.vkey"] => Some(Self::Key(log)),
            ["checkpoint"] => Some(Self::Newest(log)),
            ["README.txt"] => Some(Self::Readme(log)),
            ["verify.py"] => Some(Self::Script(log)),
            ["tile", path @ ..] => Some(Self::Tile(log, TilePath::parse(&format!("tile/{}", path.join("/")))?)),
            ["daily", day, file] => {
                let file = DailyFile::ALL.into_iter().find(|known| known.as_str() == *file)?;
                Some(Self::Daily(log, day.strip_prefix("dt=")?.parse().ok()?, file))
            }
            ["checkpoints", file] => Some(Self::Note(log, file.strip_suffix(".note")?.parse().ok()?)),
            ["entries", day, file] => {
                let (first, last) = file.strip_suffix(".ndjson")?.split_once('-')?;
                let day = day.strip_prefix("dt=")?.parse().ok()?;
                Some(Self::Segment(log, day, first.parse().ok()?, last.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// True for a month, `2026-10`, and a day, `2026-10-31`.
fn is_period(text: &str) -> bool {
    text.parse::<Date>().is_ok() || format!("{text}-01").parse::<Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let log = LogId::from_key("live#acct_1#3").unwrap();
        let names = [
            (Name::AllKeys, "v1/log.vkey".to_owned()),
            (Name::Plan(log.scope.clone(), Hash::ZERO), format!("v1/live/acct_1/plans/{}.json", "0".repeat(64))),
            (Name::Key(log.clone()), "v1/live/acct_1/3/log.vkey".to_owned()),
            (
                Name::Segment(log.clone(), "2026-10-31".parse().unwrap(), 0, 41),
                "v1/live/acct_1/3/entries/dt=2026-10-31/00000000000000000000-00000000000000000041.ndjson".to_owned(),
            ),
            (Name::Note(log.clone(), 42), "v1/live/acct_1/3/checkpoints/00000000000000000042.note".to_owned()),
            (Name::Newest(log.clone()), "v1/live/acct_1/3/checkpoint".to_owned()),
            (Name::Readme(log.clone()), "v1/live/acct_1/3/README.txt".to_owned()),
            (Name::Script(log.clone()), "v1/live/acct_1/3/verify.py".to_owned()),
            (
                Name::Tile(log.clone(), TilePath::parse("tile/0/x001/234.p/7").unwrap()),
                "v1/live/acct_1/3/tile/0/x001/234.p/7".to_owned(),
            ),
            (
                Name::Daily(log.clone(), "2026-10-31".parse().unwrap(), DailyFile::Gzip),
                "v1/live/acct_1/3/daily/dt=2026-10-31/ledger.ndjson.gz".to_owned(),
            ),
            (
                Name::Reconciled(log.scope, "2026-10".to_owned(), Hash::ZERO),
                format!("v1/live/acct_1/reconcile/2026-10/{}.json", "0".repeat(64)),
            ),
        ];
        for (name, text) in names {
            assert_eq!(name.text(), text);
            assert_eq!(Name::parse(&text), Some(name));
        }
    }

    #[test]
    fn other_names_are_foreign() {
        for bad in [
            "",
            "v1",
            "v2/log.vkey",
            "v1/live/acct_1/3/checkpoints/42.note",
            "v1/live/acct_1/03/log.vkey",
            "v1/live/acct_1/3/entries/x",
            "v1/live/acct_1/3/entries/dt=2026-1-1/00000000000000000000-00000000000000000041.ndjson",
            "v1/dev/acct_1/0/log.vkey",
            "v1/live/acct_1/plans/x.json",
            "/v1/log.vkey",
            "v1/live/acct_1/3/../3/log.vkey",
            "v1/live/acct_1/3/tile/0/1",
            "v1/live/acct_1/3/tile/entries/001.p/256",
            "v1/live/acct_1/3/daily/2026-10-31/ledger.csv",
            "v1/live/acct_1/3/daily/dt=2026-10-31/ledger.parquet",
            &format!("v1/live/acct_1/reconcile/2026/{}.json", "0".repeat(64)),
            &format!("v1/live/acct_1/reconcile/2026-13/{}.json", "0".repeat(64)),
        ] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }
}
