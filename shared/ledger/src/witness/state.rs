//! What a witness remembers.

use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::note::check_name;

/// First line of a stored state, followed by the number of logs.
const HEADER: &str = "axiru/witness-state/v1";

/// The last checkpoint that a witness accepted of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// What a witness remembers of every log, by origin.
///
/// Stored as text, in one spelling: a header with the number of logs, then one line `<origin> <size> <root, base64>` for each log, sorted by origin.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct State(BTreeMap<String, Seen>);

/// The text is not a stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the stored state of a witness: line {0}")]
pub struct StateError(usize);

impl State {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was last seen of the log with this origin.
    #[must_use]
    pub fn get(&self, origin: &str) -> Option<Seen> {
        self.0.get(origin).copied()
    }

    /// Every log, sorted by origin.
    pub fn logs(&self) -> impl Iterator<Item = (&str, Seen)> {
        self.0.iter().map(|(origin, seen)| (origin.as_str(), *seen))
    }

    /// INVARIANT for the caller: `origin` is the name of a key, and `seen` was proven to continue what is held.
    pub(super) fn with(&self, origin: &str, seen: Seen) -> Self {
        let mut logs = self.0.clone();
        logs.insert(origin.to_owned(), seen);
        Self(logs)
    }

    /// The text to store.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.logs().map(|(origin, seen)| format!("{origin} {} {}\n", seen.size, seen.root.base64()));
        std::iter::once(format!("{HEADER} {}\n", self.0.len())).chain(lines).collect()
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// [`StateError`] for anything but the one spelling: a witness that has forgotten a log would accept any history of it.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let mut state = Self::new();
        for (number, line) in (2..).zip(text.lines().skip(1)) {
            let (origin, seen) = parse_line(line).ok_or(StateError(number))?;
            state.0.insert(origin.to_owned(), seen);
        }
        // Compared as a whole: the header, the number of logs, their order, every spelling.
        if state.text() == text { Ok(state) } else { Err(StateError(1)) }
    }
}

fn parse_line(line: &str) -> Option<(&str, Seen)> {
    let mut words = line.split(' ');
    let (origin, size, root, None) = (words.next()?, words.next()?, words.next()?, words.next()) else {
        return None;
    };
    check_name(origin).ok()?;
    Some((origin, Seen { size: size.parse().ok()?, root: Hash::from_base64(root)? }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state() -> State {
        let seen = |size| Seen { size, root: Hash::of(b"") };
        State::new().with("b.example/log", seen(7)).with("a.example/log", seen(0))
    }

    #[test]
    fn a_state_is_stored_sorted_and_read_back() {
        let text = "axiru/witness-state/v1 2\n\
            a.example/log 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
            b.example/log 7 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        assert_eq!(state().text(), text);
        assert_eq!(State::parse(text), Ok(state()));
        assert_eq!(State::parse(&State::new().text()), Ok(State::new()));
    }

    #[test]
    fn a_state_that_is_cut_or_spelled_otherwise_is_refused() {
        let text = state().text();
        for end in 0..text.len() {
            assert!(State::parse(&text[..end]).is_err(), "cut at {end}");
        }
        for bad in [
            text.replace("v1", "v2"),
            text.replace("v1 2", "v1 3"),
            text.replace("v1 2", "v1"),
            text.replace(" 7 ", " 07 "),
            text.replace(" 7 ", " +7 "),
            text.replace(" 7 ", " -7 "),
            text.replace(" 7 ", "  7 "),
            text.replace("a.example", "c.example"),
            text.replace("a.example", "b.example"),
            text.replace("FU=", "FU"),
            text.replace('\n', "\r\n"),
            format!("{text}\n"),
            format!("{text}c.example/log 1\n"),
        ] {
            assert!(State::parse(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,200}", tail in "[ -~\n]{0,200}") {
            let _ = State::parse(&text);
            let _ = State::parse(&format!("{HEADER} 1\n{tail}"));
        }
    }
}
