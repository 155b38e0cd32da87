//! Keeping a sandbox between runs: one JSON file, replaced in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;
use crate::state::State;

/// The file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system said no.
    #[error("cannot use the state file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a snapshot of this version.
    #[error("the state file {path} is not a sandbox snapshot")]
    Format {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
}

/// Reads a snapshot; `None` if the file does not exist.
///
/// # Errors
/// If it exists and cannot be read.
pub fn load_snapshot(path: &Path) -> Result<Option<Sandbox>, SnapshotError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(SnapshotError::Io { path: path.to_owned(), source });
        }
    };
    let state: State =
        serde_json::from_slice(&bytes).map_err(|source| SnapshotError::Format { path: path.to_owned(), source })?;
    Ok(Some(Sandbox::from_state(state)))
}

/// Writes a snapshot beside the file and renames it over.
///
/// # Errors
/// If the file system refuses.
pub fn save_snapshot(sandbox: &Sandbox, path: &Path) -> Result<(), SnapshotError> {
    let io = |source| SnapshotError::Io { path: path.to_owned(), source };
    let bytes =
        sandbox.read(serde_json::to_vec).map_err(|source| SnapshotError::Format { path: path.to_owned(), source })?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let beside = path.with_extension("new");
    fs::write(&beside, bytes).map_err(io)?;
    fs::rename(&beside, path).map_err(io)
}
