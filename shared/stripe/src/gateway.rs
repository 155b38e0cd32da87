//! Stripe's own REST API as Axiru takes it in: one table of routes, and everything that follows from it.
//!
//! The table says which calls are decided, which pass, which are read through, and which lead around the decision. The parser, the
//! serialiser, the refusals, the page `docs/gateway.md` and the corpus of bypass attempts all come from it.
//!
//! INVARIANT: what a decided call sends to Stripe is written anew from what was understood; no byte of the caller's body, path or
//! query is passed on. Stripe merges query and body and reads nested, repeated and oddly encoded names in its own way; a gateway that
//! forwards what it read differently moves other money than it decided on. What is not understood is refused by name.
//!
//! No I/O but in `look`, which asks Stripe through the one transport of this crate.

pub mod corpus;
mod effect;
mod form;
mod headers;
pub mod look;
mod moves;
mod outgoing;
pub mod page;
mod params;
mod passes;
mod path;
mod refused;
mod routes;
mod stored;
mod table;

use axiru_domain::{AccountId, IdempotencyKey};
use http::Method;

pub use effect::Effect;
pub use headers::{RELEASES, Release};
pub use moves::{Moves, Needs};
pub use outgoing::{Outgoing, Stamp};
pub use passes::{Passes, Reads, SideDoor};
pub use refused::{CODES, Code, Refused};
pub use routes::ROUTES;
pub use stored::StoredError;
pub use table::{Does, Form, Param, Route, Verb};

use params::Params;

/// Longest body that is read. A dispute's evidence is the longest that Stripe takes, 150,000 characters in rare cases; agents' calls
/// are below 4 KiB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A call as it came in.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as sent, not decoded.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a http::HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// A call that was understood.
#[derive(Debug)]
pub struct Call {
    /// `Stripe-Account`. Selects one of the key's scopes and is never forwarded.
    pub account: Option<AccountId>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// `Stripe-Version` as sent, within [`RELEASES`]; none: [`crate::API_VERSION`].
    pub version: Option<String>,
    /// The route.
    pub route: &'static Route,
    /// What the call asks for.
    pub doing: Doing,
}

/// What a call asks for.
#[derive(Debug)]
pub enum Doing {
    /// To move money: decided.
    Moves(Box<Moves>),
    /// To bring money back, or to note something: recorded and allowed.
    Passes(Passes),
    /// To be told something: read through.
    Reads(Reads),
    /// To move money of a family by a route that is not decided: refused while anything of the family is enforced.
    SideDoor(SideDoor),
}

/// Reads a call.
///
/// # Errors
/// [`Refused`], by name.
pub fn parse(incoming: &Incoming<'_>) -> Result<Call, Refused> {
    let (route, ids) = path::route(incoming.method, incoming.path)?;
    let family = route.does.family();
    let headers = headers::read(incoming.headers, family)?;
    let doing = match (route.does, route.verb) {
        (Does::SideDoor(_), _) => Doing::SideDoor(SideDoor::new(route, incoming.path)),
        (_, Verb::Get) => {
            if !incoming.body.is_empty() {
                return Err(Refused::new("axiru_body_on_read", None, None));
            }
            Doing::Reads(Reads::new(route, params(route, ids, incoming.query)?))
        }
        (_, Verb::Post) => {
            if !incoming.query.is_empty() {
                return Err(Refused::new("axiru_query_on_write", None, family));
            }
            headers::form_only(incoming.headers, incoming.body.is_empty(), family)?;
            if incoming.body.len() > MAX_BODY_BYTES {
                return Err(Refused::new("axiru_body_too_large", None, family));
            }
            let body = std::str::from_utf8(incoming.body);
            write(route, ids, body.map_err(|_| Refused::new("axiru_encoding", None, family))?)?
        }
    };
    let headers::Read { account, idempotency_key, version } = headers;
    Ok(Call { account, idempotency_key, version, route, doing })
}

fn params(route: &'static Route, ids: Vec<axiru_domain::StripeId>, text: &str) -> Result<Params, Refused> {
    Params::read(route, ids, &form::pairs(text).map_err(|refused| refused.of(route.does.family()))?)
        .map_err(|refused| refused.of(route.does.family()))
}

/// What a write with this body asks for.
fn write(route: &'static Route, ids: Vec<axiru_domain::StripeId>, body: &str) -> Result<Doing, Refused> {
    let params = params(route, ids, body)?;
    let family = route.does.family();
    match route.does {
        Does::Move(kind) => Moves::new(route, kind, params),
        Does::DisputeUpdate => return passes::dispute_update(route, params).map_err(|refused| refused.of(family)),
        Does::Pass(_) | Does::Read | Does::SideDoor(_) => {
            return Ok(Doing::Passes(Passes::new(route, route.name, params)));
        }
    }
    .map(|moves| Doing::Moves(Box::new(moves)))
    .map_err(|refused| refused.of(family))
}

#[cfg(test)]
mod tests;
