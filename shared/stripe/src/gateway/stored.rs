//! A call that moves money, as it is kept until it may be sent.

use http::Method;
use serde::{Deserialize, Serialize};

use super::moves::Moves;
use super::{Doing, params::Params, path, write};

/// What was kept cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Not of the form that is written here.
    #[error("the stored call is not of the form that this version writes")]
    Form,
    /// The call would not be taken today.
    #[error("the stored call would be refused with `{0}`")]
    Refused(&'static str),
    /// The call is none that moves money, or is not written as it would be today.
    #[error("the stored call is not the one that would be sent")]
    Other,
}

/// Version 1: the path, and the form with `expand`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'a> {
    v: u8,
    path: std::borrow::Cow<'a, str>,
    form: std::borrow::Cow<'a, str>,
}

const VERSION: u8 = 1;

impl Moves {
    /// Everything that is needed to send the call later. Holds free text: seal it.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let path = path::written(self.route, &self.params.ids);
        let form = Params::form(&self.params, self.route, true);
        let kept = Kept { v: VERSION, path: path.into(), form: form.into() };
        // INVARIANT: two texts and a number are always JSON.
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// Reads what [`Moves::to_stored`] wrote, and checks it as a call that comes in.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredError> {
        let kept: Kept<'_> = serde_json::from_slice(bytes).map_err(|_| StoredError::Form)?;
        if kept.v != VERSION {
            return Err(StoredError::Form);
        }
        let refused = |refused: super::Refused| StoredError::Refused(refused.code);
        let (route, ids) = path::route(&Method::POST, &kept.path).map_err(refused)?;
        if matches!(route.does, super::Does::SideDoor(_)) {
            return Err(StoredError::Other);
        }
        match write(route, ids, &kept.form).map_err(refused)? {
            Doing::Moves(moves) if moves.to_stored() == bytes => Ok(*moves),
            _ => Err(StoredError::Other),
        }
    }
}
