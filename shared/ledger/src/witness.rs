//! The decision of a witness: is this checkpoint the old tree with entries added behind? (c2sp.org/tlog-witness)
//!
//! A witness remembers, for each log it was told to watch, the size and root of the last checkpoint it accepted. It cosigns a new one
//! only when a consistency proof leads there from what it remembers. Whoever rewrites a log and signs it again can therefore not
//! have it cosigned: the one thing that a signature of the log itself can never say.
//!
//! Pure: whoever runs a witness checks with [`State::add`], stores the new state **in one step with the comparison to the old**, and
//! only then signs. Two requests decided on the same old state must not both be stored (tlog-witness, the race at the end of "add-checkpoint").

mod request;
mod state;

pub use request::{MAX_BYTES, Request, RequestError};
pub use state::{Seen, State, StateError};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::note::{NoteError, VerifierKey};
use crate::proof::{ProofError, check_consistency};

/// A checkpoint that may be cosigned once `state` is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What the witness remembers from now on.
    pub state: State,
    /// What the checkpoint says.
    pub checkpoint: Checkpoint,
}

impl Accepted {
    /// The text to cosign, see [`crate::cosignature::message`].
    #[must_use]
    pub fn text(&self) -> String {
        self.checkpoint.text()
    }
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The witness was not told to watch this log.
    #[error("the log `{0}` is not known to this witness")]
    UnknownOrigin(String),
    /// The log's key did not sign it.
    #[error("the checkpoint is not signed by its log: {0}")]
    Signature(NoteError),
    /// It is signed, but says nothing that a checkpoint says.
    #[error("{0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint is of a smaller tree than the one it is said to have grown from.
    #[error("a checkpoint of size {size} cannot have grown from size {old}")]
    Smaller {
        /// The old size in the request.
        old: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// The request starts from another size than the one that the witness holds. It may be asked anew from there, if the log can.
    #[error("the last checkpoint this witness saw of the log has size {held}")]
    Conflict {
        /// The size that the witness holds; 0 when it never saw one.
        held: u64,
    },
    /// Two checkpoints of one size with different roots: the log was forked.
    #[error("this witness saw another root of the log at size {0}")]
    OtherRoot(u64),
    /// The proof does not lead from what the witness holds to the checkpoint: a wrong proof, or the log was forked.
    #[error("the checkpoint is not shown to continue the one before: {0}")]
    Proof(ProofError),
}

impl Refusal {
    /// The HTTP status that tlog-witness, "add-checkpoint", demands for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin(_) => 404,
            Self::Signature(_) => 403,
            Self::Checkpoint(_) | Self::Smaller { .. } => 400,
            Self::Conflict { .. } | Self::OtherRoot(_) => 409,
            Self::Proof(_) => 422,
        }
    }
}

impl State {
    /// Decides on a checkpoint. `keys` are the logs to watch: each key's name is its log's origin.
    ///
    /// # Errors
    /// [`Refusal`]; this state stays as it was.
    pub fn add(&self, keys: &[VerifierKey], request: &Request) -> Result<Accepted, Refusal> {
        let checkpoint = open(keys, &request.note)?;
        let size = checkpoint.size;
        if request.old > size {
            return Err(Refusal::Smaller { old: request.old, size });
        }
        let held = self.get(&checkpoint.origin).unwrap_or(Seen { size: 0, root: Hash::of(b"") });
        if request.old != held.size {
            return Err(Refusal::Conflict { held: held.size });
        }
        match check_consistency(held.size, size, held.root, checkpoint.root, &request.proof) {
            Ok(()) => {}
            Err(ProofError::Differ(size)) => return Err(Refusal::OtherRoot(size)),
            Err(error) => return Err(Refusal::Proof(error)),
        }
        let state = self.with(&checkpoint.origin, Seen { size, root: checkpoint.root });
        Ok(Accepted { state, checkpoint })
    }
}

/// The checkpoint in a note, if one of the logs signed it. The first line says which one it is to be.
fn open(keys: &[VerifierKey], note: &str) -> Result<Checkpoint, Refusal> {
    let origin = note.split('\n').next().unwrap_or_default();
    let mut refused = Refusal::UnknownOrigin(origin.to_owned());
    // A log has more than one key while it changes to a new one.
    for key in keys.iter().filter(|key| key.name() == origin) {
        match Checkpoint::open(note.as_bytes(), key) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(CheckpointError::Note(error)) => refused = Refusal::Signature(error),
            Err(error) => refused = Refusal::Checkpoint(error),
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests;
