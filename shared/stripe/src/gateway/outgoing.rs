//! What is sent to Stripe: written anew, in a fixed order.

use axiru_domain::RequestId;
use http::Method;

/// A write as it is sent to Stripe.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The path, from the route and ids.
    pub path: String,
    /// The form.
    pub body: Vec<u8>,
}

/// What a caller wrote may name people: only the method is shown.
impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What Axiru marks its objects at Stripe with, so that it finds them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The request: `metadata[axiru_request]`.
    pub request: RequestId,
    /// The entry of the ledger: `metadata[axiru_receipt]`. At most 500 characters, Stripe's bound.
    pub receipt: String,
}
