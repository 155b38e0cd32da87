//! The mode that a story is played in: test or live, by the story's name, so that neither mode is the one that everything is tried in.
//!
//! Half of the stories would not notice a row, a key or a queue of the other mode if all were of one. `AXIRU_STORIES_MODE=live` (or `test`)
//! plays all in one. Stories about both modes name them and are played once.

use std::fmt;
use std::sync::LazyLock;

use axiru_domain::Mode;

/// Environment variable of the mode for all.
const SET: &str = "AXIRU_STORIES_MODE";

static PLAYED: LazyLock<Mode> = LazyLock::new(|| match std::env::var(SET) {
    Ok(word) => word.parse().unwrap_or_else(|_| panic!("{SET} is `test` or `live`, not `{word}`")),
    Err(_) => by_name(),
});

/// By the name that the runner was asked for: cargo-nextest runs each story in a process of its own. Others run all in one, in the test mode.
fn by_name() -> Mode {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--exact").skip(1);
    let name = arguments.find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let sum = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Mode::ALL[(sum.count_ones() % 2) as usize]
}

/// The mode of this story.
pub(crate) fn mode() -> Mode {
    *PLAYED
}

/// The other one.
pub(crate) fn other_mode() -> Mode {
    if mode() == Mode::Test { Mode::Live } else { Mode::Test }
}

/// How pages and mails show the mode of this story.
pub(crate) fn badge() -> String {
    mode().to_string().to_uppercase()
}

/// The mode of this story, to be written into a text.
pub(crate) const MODE: Written = Written;

/// Writes the mode of this story.
#[derive(Clone, Copy)]
pub(crate) struct Written;

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mode().fmt(f)
    }
}
