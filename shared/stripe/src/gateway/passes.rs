//! Calls that are not decided: those that bring money back or note something, reads, and side doors.

use std::fmt;

use axiru_domain::{Family, Kind, StripeId};

use super::Doing;
use super::moves::Moves;
use super::outgoing::Outgoing;
use super::params::Params;
use super::path;
use super::refused::Refused;
use super::table::Route;

/// A call that is recorded and allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passes {
    route: &'static Route,
    kind: &'static str,
    params: Params,
}

/// Metadata names people: only the kind and the object are shown.
impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passes").field("kind", &self.kind).field("object", &self.object()).finish_non_exhaustive()
    }
}

impl Passes {
    pub(super) const fn new(route: &'static Route, kind: &'static str, params: Params) -> Self {
        Self { route, kind, params }
    }

    /// What it is: `refund_cancel`, `refund_update`, `payout_cancel`, `payout_reverse`, `payout_update`, `transfer_update`,
    /// `reversal_update`, `dispute_stage` or `dispute_metadata`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The route.
    #[must_use]
    pub const fn route(&self) -> &'static Route {
        self.route
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.route.does.family()
    }

    /// The object that is changed: the last id of the path.
    #[must_use]
    pub fn object(&self) -> Option<&StripeId> {
        self.params.ids.last()
    }

    /// The call as it is sent.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing {
        self.params.outgoing(self.route)
    }
}

/// Reads the update of a dispute. Any evidence is submitted unless `submit=false` (Stripe API reference, "Update a dispute"), and what was
/// staged before may be submitted by any update: so `submit` is always written.
pub(super) fn dispute_update(route: &'static Route, mut params: Params) -> Result<Doing, Refused> {
    if params.is_empty() {
        return Err(Refused::at("axiru_parameter_missing", "evidence"));
    }
    let evidence = params.nested("evidence").is_some();
    let kind = match (params.plain("submit"), evidence) {
        (Some("true"), _) | (None, true) => {
            params.set("submit", "true");
            return Ok(Doing::Moves(Box::new(Moves::new(route, Kind::DisputeSubmit, params)?)));
        }
        (Some(_), _) => "dispute_stage",
        (None, false) => "dispute_metadata",
    };
    params.set("submit", "false");
    Ok(Doing::Passes(Passes::new(route, kind, params)))
}

/// A call that reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Reads {
    route: &'static Route,
    params: Params,
}

/// What is filtered by may be free text: only the route is shown.
impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("route", &self.route.name).finish_non_exhaustive()
    }
}

impl Reads {
    pub(super) const fn new(route: &'static Route, params: Params) -> Self {
        Self { route, params }
    }

    /// The route.
    #[must_use]
    pub const fn route(&self) -> &'static Route {
        self.route
    }

    /// The path, from the route and ids.
    #[must_use]
    pub fn path(&self) -> String {
        path::written(self.route, &self.params.ids)
    }

    /// The query written anew, without `?`; empty where nothing is said.
    #[must_use]
    pub fn query(&self) -> String {
        self.params.form(self.route, true)
    }
}

/// A call that moves money past what is decided.
#[derive(Clone, PartialEq, Eq)]
pub struct SideDoor {
    route: &'static Route,
    path: String,
}

/// Only the name is shown.
impl fmt::Debug for SideDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SideDoor").field("name", &self.route.name).finish_non_exhaustive()
    }
}

impl SideDoor {
    /// `path` has been matched against the route's.
    pub(super) fn new(route: &'static Route, path: &str) -> Self {
        Self { route, path: path.to_owned() }
    }

    /// Its word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.route.name
    }

    /// The family that it leads around.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.route.does.family()
    }

    /// The path as it came: fixed words and ids only.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The refusal while anything of the family is enforced.
    #[must_use]
    pub fn refusal(&self) -> Refused {
        Refused::new("axiru_side_door", None, self.family())
    }
}
