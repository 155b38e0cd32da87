//! Progress on a terminal; silence elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that says how many of how many `noun` are done.
pub(crate) fn bar(noun: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(noun);
    bar
}
