//! What is to be connected, by whichever door it came: the merchant's own Stripe App, or a restricted key.

use axiru_domain::{Currency, Scope, Timestamp};

/// An account that may be connected: who it is, and what acts for it, sealed.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What would be connected.
    pub scope: Scope,
    /// As Stripe names it.
    pub display_name: String,
    /// Two upper-case letters.
    pub country: String,
    /// The account's default currency.
    pub currency: Currency,
    /// Which connect this is.
    pub attempt: String,
    /// Tokens or a restricted key, sealed for the scope.
    pub(crate) sealed: Vec<u8>,
    /// When they were asked for; not known of an install that an older program began.
    pub(crate) sealed_at: Option<Timestamp>,
    /// What a restricted key may do; none where it is the app's tokens that are sealed.
    pub(crate) key: Option<KeyTerms>,
}

/// What a restricted key was found to allow.
#[derive(Clone, Debug)]
pub(crate) struct KeyTerms {
    /// Names of the permissions that it has.
    pub(crate) granted: Vec<String>,
}
