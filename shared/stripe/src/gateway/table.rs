//! What a row of the table of routes says.

use axiru_domain::{Family, Kind, ObjectRole};

/// One route of Stripe's API.
#[derive(Debug)]
pub struct Route {
    /// The route's word.
    pub name: &'static str,
    /// The method.
    pub verb: Verb,
    /// The path; `{charge}` stands for an id.
    pub path: &'static str,
    /// What Axiru does with it.
    pub does: Does,
    /// The parameters, in the order in which they are written to Stripe.
    pub params: &'static [Param],
    /// Parameters that Stripe knows and Axiru refuses, whatever they say.
    pub not_taken: &'static [&'static str],
    /// What may be expanded.
    pub expand: &'static [&'static str],
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl Verb {
    /// The method's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    /// The method.
    #[must_use]
    pub const fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
        }
    }
}

/// What Axiru does with a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Decides: the call moves money.
    Move(Kind),
    /// Decides where evidence is submitted; passes what is staged or noted.
    DisputeUpdate,
    /// Records and allows: the call brings money back, or notes something.
    Pass(Family),
    /// Reads through.
    Read,
    /// Refuses while anything of the family is enforced, otherwise forwards and records.
    SideDoor(Family),
}

impl Does {
    /// The family of a write.
    #[must_use]
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Move(kind) => Some(kind.family()),
            Self::DisputeUpdate => Some(Family::Disputes),
            Self::Pass(family) | Self::SideDoor(family) => Some(family),
            Self::Read => None,
        }
    }
}

/// One parameter of a route.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it may say.
    pub form: Form,
    /// Whether it is needed.
    pub required: bool,
}

/// What a parameter may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The object of that role.
    Object(ObjectRole),
    /// An id with one of these prefixes.
    Id(&'static [&'static str]),
    /// Minor units, above zero.
    Amount,
    /// Three lower-case letters.
    Currency,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// Free text of at most so many characters.
    Text(usize),
    /// An e-mail address.
    Email,
    /// `metadata[key]` of an object that is made.
    Metadata,
    /// `metadata[key]` of an object that exists: an empty value removes the key.
    MetadataUpdate,
    /// `evidence[name]`, of names from the list; an empty value removes what was staged.
    Evidence(&'static [&'static str]),
    /// 1 to 100.
    Limit,
    /// Seconds since 1970, or `[gt]`, `[gte]`, `[lt]`, `[lte]` of them.
    Moments,
}

impl Form {
    /// Whether values stand in brackets under the name.
    #[must_use]
    pub const fn is_nested(self) -> bool {
        matches!(self, Self::Metadata | Self::MetadataUpdate | Self::Evidence(_))
    }
}

/// A parameter that may be left out.
pub(super) const fn may(name: &'static str, form: Form) -> Param {
    Param { name, form, required: false }
}

/// A parameter that is needed.
pub(super) const fn must(name: &'static str, form: Form) -> Param {
    Param { name, form, required: true }
}

impl Route {
    /// The route's parameter of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Whether the object that the route makes or changes takes metadata.
    #[must_use]
    pub fn takes_metadata(&self) -> bool {
        self.params.iter().any(|param| matches!(param.form, Form::Metadata | Form::MetadataUpdate))
    }
}
