//! Opening a link: who may answer what, as things are now.

use axiru_domain::{PersonId, RequestStatus, Timestamp};

use super::{LinkId, LinkKeys, LinkRow, LinkToken};
use crate::approval::{Held, HeldError};
use crate::error::{AwsError, Retry};
use crate::item::RowError;
use crate::store::{Store, StoreError};

/// A link that is good, and what it is about.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The request.
    pub held: Held,
    /// Who answers with it.
    pub person: PersonId,
    pub(crate) link: LinkRow,
}

/// A link that does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such link, or its MAC is another: which of them is not said.
    #[error("there is no such link")]
    Unknown,
    /// It was sent for something that is no longer so, or was called in.
    #[error("what the link was sent for has changed")]
    Stale,
    /// Its own time is over, and people may still answer.
    #[error("the link has expired")]
    Expired(Box<Opened>),
    /// Nobody can say now.
    #[error("{0}")]
    Held(#[from] HeldError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Held(error.into())
    }
}

impl From<AwsError> for OpenError {
    fn from(error: AwsError) -> Self {
        Self::Held(StoreError::from(error).into())
    }
}

impl From<RowError> for OpenError {
    fn from(error: RowError) -> Self {
        Self::Held(HeldError::Altered(error))
    }
}

/// Opens links. Can mint none.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(in crate::approval) store: Store,
    keys: LinkKeys,
    deployment: String,
}

impl Verifier {
    /// With those keys.
    #[must_use]
    pub fn new(store: Store, keys: LinkKeys, deployment: impl Into<String>) -> Self {
        Self { store, keys, deployment: deployment.into() }
    }

    /// Opens a link. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(&self, token: &LinkToken, now: Timestamp) -> Result<Opened, OpenError> {
        let Some(link) = self.store.find_link(&token.id).await? else {
            // As much work as for a link that is there, so that the time tells nothing.
            self.keys.verify("-", "axiru/no-link", &token.mac).await?;
            return Err(OpenError::Unknown);
        };
        let held = match self.store.held(&link.scope, &link.request).await {
            Ok(held) => held,
            Err(error) if error.retry() == Retry::Later => return Err(error.into()),
            // Rows that do not belong together: whatever they say now, it is not what was sent.
            Err(error) => {
                tracing::error!(scope = %link.scope, decision.id = %link.request, error = %error, "a held request is not as it was written");
                None
            }
        };
        if let Some(held) = held {
            let now_message = link.as_now(&self.deployment, &held)?;
            if self.keys.verify(&link.key, &now_message, &token.mac).await? && !link.revoked {
                let opened = Opened { person: link.person.clone(), held, link };
                return if opened.is_over(now) { Err(OpenError::Expired(Box::new(opened))) } else { Ok(opened) };
            }
        }
        let sent = link.as_sent(&self.deployment)?;
        let stale = self.keys.verify(&link.key, &sent, &token.mac).await?;
        Err(if stale { OpenError::Stale } else { OpenError::Unknown })
    }
}

impl Opened {
    /// Whether the link's own time is over while people may still answer.
    fn is_over(&self, now: Timestamp) -> bool {
        let open = self.held.status() == RequestStatus::Pending && now.millis() < self.held.approval.until;
        open && now.millis() >= self.link.until
    }

    /// The link's id.
    #[must_use]
    pub const fn link(&self) -> &LinkId {
        &self.link.id
    }
}
