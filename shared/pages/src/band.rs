//! How a mode is shown: never by its colour alone.

use axiru_domain::Mode;

/// The class of a mode's band, boxes and buttons in [`STYLE`](crate::STYLE).
#[must_use]
pub const fn class(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "test",
        Mode::Live => "live",
    }
}

/// The mode as it is shouted.
#[must_use]
pub const fn shout(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "TEST",
        Mode::Live => "LIVE",
    }
}

/// What a mode means, in one line.
#[must_use]
pub const fn meaning(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "TEST mode: no real money",
        Mode::Live => "LIVE mode: real money",
    }
}
