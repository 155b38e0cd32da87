//! A look at one log: is it the log of the last visit, with entries added behind?

use anyhow::Result;
use axiru_domain::{LogId, Mode};
use axiru_ledger::checkpoint::Checkpoint;
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::note::VerifierKey;
use axiru_ledger::proof::{Nodes, check_consistency, consistency, root};
use axiru_ledger::witness::{Accepted, Request, Seen, State};

use crate::place::Place;
use crate::tiles::{Tiles, missing};

/// What a look found.
pub(super) enum Look {
    /// No checkpoint, and none was ever seen.
    Nothing,
    /// It may be remembered and cosigned.
    Fine(Box<Fine>),
    /// It may not.
    Refused(Trouble),
}

/// A checkpoint that continues what is remembered.
pub(super) struct Fine {
    /// What was remembered; nothing on the first visit.
    pub(super) before: Option<Seen>,
    /// The new memory, and what the checkpoint says.
    pub(super) accepted: Accepted,
    /// The note, as the log signed it.
    pub(super) note: String,
}

/// Why a checkpoint is refused. What is remembered stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("ROLLBACK: it shows {size} entries, and {held} were seen before")]
    Rollback { held: u64, size: u64 },
    #[error(
        "FORK: its first {held} entries are not the {held} that were seen before: history was changed and signed again"
    )]
    Fork { held: u64 },
    #[error(
        "OTHER ROOT: it shows {size} entries as before, but not the same ones: history was changed and signed again"
    )]
    OtherRoot { size: u64 },
    #[error("VANISHED: it has no checkpoint any more, and {held} entries were seen before")]
    Vanished { held: u64 },
    #[error(
        "UNKNOWN: no key was given for `{origin}`, so nothing can be said of it; add its key if it is yours to watch"
    )]
    Unknown { origin: String },
    #[error("WRONG LOG: its checkpoint is of `{found}`{}", if *.test_as_live { ": a test log shown as a live one" } else { "" })]
    WrongLog { found: String, test_as_live: bool },
    #[error("NOT SIGNED: {what}")]
    NotSigned { what: String },
    #[error(
        "UNPROVEN: it shows {size} entries after {held}, and {what}; nothing is wrong for sure, so copy it again and look again"
    )]
    Unproven { held: u64, size: u64, what: String },
}

impl Trouble {
    /// A word for programs.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Rollback { .. } => "rollback",
            Self::Fork { .. } => "fork",
            Self::OtherRoot { .. } => "other_root",
            Self::Vanished { .. } => "vanished",
            Self::Unknown { .. } => "unknown",
            Self::WrongLog { .. } => "wrong_log",
            Self::NotSigned { .. } => "not_signed",
            Self::Unproven { .. } => "unproven",
        }
    }
}

/// Looks at the log with this origin.
pub(super) async fn look(
    place: &Place,
    log: &LogId,
    origin: &str,
    keys: &[VerifierKey],
    state: &State,
) -> Result<Look> {
    if !keys.iter().any(|key| key.name() == origin) {
        return Ok(Look::Refused(Trouble::Unknown { origin: origin.to_owned() }));
    }
    let before = state.get(origin);
    let Some(bytes) = place.read(&Name::Newest(log.clone())).await? else {
        return Ok(before.map_or(Look::Nothing, |seen| Look::Refused(Trouble::Vanished { held: seen.size })));
    };
    let (note, checkpoint) = match opened(bytes, log, origin, keys) {
        Ok(opened) => opened,
        Err(trouble) => return Ok(Look::Refused(trouble)),
    };
    let proof = match before {
        Some(seen) => match continues(place, log, seen, &checkpoint).await? {
            Ok(proof) => proof,
            Err(trouble) => return Ok(Look::Refused(trouble)),
        },
        None => Vec::new(),
    };
    // The rule itself is the library's; what went before only finds the proof, and words for what is wrong.
    let request = Request { old: before.map_or(0, |seen| seen.size), proof, note: note.clone() };
    Ok(match state.add(keys, &request) {
        Ok(accepted) => Look::Fine(Box::new(Fine { before, accepted, note })),
        Err(refusal) => {
            Look::Refused(Trouble::Unproven { held: request.old, size: checkpoint.size, what: refusal.to_string() })
        }
    })
}

/// The checkpoint, if it is of this log and signed with its key.
fn opened(bytes: Vec<u8>, log: &LogId, origin: &str, keys: &[VerifierKey]) -> Result<(String, Checkpoint), Trouble> {
    let unsigned = |what: String| Trouble::NotSigned { what };
    let note = String::from_utf8(bytes).map_err(|_| unsigned("the checkpoint is not UTF-8".to_owned()))?;
    let found = note.split('\n').next().unwrap_or_default();
    if found != origin {
        let test_as_live = log.scope.mode() == Mode::Live && found.contains("/ledger/test/");
        return Err(Trouble::WrongLog {
            found: found.chars().take(200).collect::<String>().escape_debug().to_string(),
            test_as_live,
        });
    }
    let mut what = String::new();
    for key in keys.iter().filter(|key| key.name() == origin) {
        match Checkpoint::open(note.as_bytes(), key) {
            Ok(checkpoint) => return Ok((note, checkpoint)),
            Err(error) => what = error.to_string(),
        }
    }
    Err(unsigned(what))
}

/// The proof that the checkpoint's tree is the one that was seen, with entries added behind.
async fn continues(
    place: &Place,
    log: &LogId,
    seen: Seen,
    checkpoint: &Checkpoint,
) -> Result<Result<Vec<Hash>, Trouble>> {
    let (held, size) = (seen.size, checkpoint.size);
    if size < held {
        return Ok(Err(Trouble::Rollback { held, size }));
    }
    if size == held {
        let same = checkpoint.root == seen.root;
        return Ok(if same { Ok(Vec::new()) } else { Err(Trouble::OtherRoot { size }) });
    }
    let tiles = Tiles::new(place, log);
    let question = |nodes: &dyn Nodes| Ok((root(nodes, held)?, consistency(nodes, held, size)?));
    let unproven = |what: String| Err(Trouble::Unproven { held, size, what });
    Ok(match tiles.ask(size, question).await? {
        Err(error) => unproven(missing(&error)),
        // Tiles are not signed. What they say of the past counts only when it leads to the root that is: damage is no accusation.
        Ok((then, proof)) => match check_consistency(held, size, then, checkpoint.root, &proof) {
            Err(_) => {
                unproven("the tiles beside it do not make its root (they are of another moment, or damaged)".to_owned())
            }
            Ok(()) if then != seen.root => Err(Trouble::Fork { held }),
            Ok(()) => Ok(proof),
        },
    })
}
