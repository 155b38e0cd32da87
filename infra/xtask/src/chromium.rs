//! The browser that opens the pages: Debian's `chromium`, from the PATH, or installed where this may be done.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::apt;
use crate::progress::Progress;

/// The package, and the program that it brings.
const CHROMIUM: &str = "chromium";

const WHAT_TO_DO: &str =
    "the check `pages` needs the browser Chromium as `chromium` on the PATH. On Debian: apt-get install chromium";

/// The program, installed if it is missing and if that is allowed here.
pub(crate) async fn ready(progress: &Progress) -> Result<PathBuf> {
    if let Some(program) = apt::find(CHROMIUM) {
        return Ok(program);
    }
    apt::install(&[CHROMIUM], "Chromium", WHAT_TO_DO, progress).await?;
    apt::find(CHROMIUM).context(WHAT_TO_DO)
}
