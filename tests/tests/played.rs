//! The mode that a story is played in: test or live, by the story's name, so that neither mode is the one that everything is tried in.
//!
//! Were all played in test mode, a function that names test where it means the mode it works in would pass them. `AXIRU_STORIES_MODE=live`
//! (or `test`) plays all in one. Stories about both modes name them.

use std::fmt;
use std::sync::LazyLock;

use axiru_domain::Mode;

/// Environment variable of the mode for all.
const SET: &str = "AXIRU_STORIES_MODE";

static PLAYED: LazyLock<Mode> = LazyLock::new(|| match std::env::var(SET) {
    Ok(word) => word.parse().unwrap_or_else(|_| panic!("{SET} is `test` or `live`, not `{word}`")),
    Err(_) => asked_for().map_or(Mode::Test, |name| of(&name)),
});

/// The one story that this process was asked for: cargo-nextest gives each a process of its own. Other runners play all in one.
fn asked_for() -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--exact").skip(1);
    arguments.find(|argument| !argument.starts_with('-'))
}

/// The mode of a story of that name.
fn of(name: &str) -> Mode {
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

/// Without this a runner that asks in another way would play everything in test mode, and nothing would fail.
#[test]
fn the_runner_says_which_story_it_plays() {
    if std::env::var_os("NEXTEST").is_some() {
        assert_eq!(asked_for().as_deref(), Some("played::the_runner_says_which_story_it_plays"));
    }
}

#[test]
fn names_are_spread_over_both_modes() {
    let live = (0..1_000).filter(|number| of(&format!("gateway::story_{number}")) == Mode::Live).count();
    assert!((400..600).contains(&live), "{live} of 1,000 in live mode");
    assert_ne!(mode(), other_mode());
}
