//! What crosses to and from Stripe: signatures, projections, OAuth and REST.

pub mod base;
pub mod error;
pub mod oauth;
pub mod permissions;
pub mod rest;
pub mod secret;
pub mod transport;

/// The version of Stripe's API that Axiru speaks: sent with every call and pinned on the webhook endpoint.
pub const API_VERSION: &str = "2026-06-24.dahlia";
