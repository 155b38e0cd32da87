//! Who moves money, or acts on Axiru.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who acted, written `external`, `stripe`, `axiru` or `<class>:<id>`. Never a name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A program with an Axiru key.
    Agent(String),
    /// A member of staff with an Axiru key.
    Staff(String),
    /// An operator of Axiru, by a pseudonym of the verified AWS caller.
    Operator(String),
    /// A person of a scope, who answers what is asked.
    Person(String),
    /// Somebody who moved money without asking Axiru.
    External,
    /// Stripe itself: automatic payouts, refunds that Stripe makes.
    Stripe,
    /// Axiru itself: expiry, export, alarms.
    Axiru,
}

impl Actor {
    /// The word before the colon, or the whole for the actors that have no id.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Staff(_) => "staff",
            Self::Operator(_) => "operator",
            Self::Person(_) => "person",
            Self::External => "external",
            Self::Stripe => "stripe",
            Self::Axiru => "axiru",
        }
    }

    /// The id, for the actors that have one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Agent(id) | Self::Staff(id) | Self::Operator(id) | Self::Person(id) => Some(id),
            Self::External | Self::Stripe | Self::Axiru => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            Some(id) => write!(f, "{}:{id}", self.class()),
            None => f.write_str(self.class()),
        }
    }
}

/// The text is not an actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an actor")]
pub struct ActorError(String);

/// An id of ours: letters, digits, `_` and `-`, at most 64.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        let error = || ActorError(text.chars().take(80).collect());
        match text.split_once(':') {
            None => match text {
                "external" => Ok(Self::External),
                "stripe" => Ok(Self::Stripe),
                "axiru" => Ok(Self::Axiru),
                _ => Err(error()),
            },
            Some((class, id)) if is_id(id) => match class {
                "agent" => Ok(Self::Agent(id.to_owned())),
                "staff" => Ok(Self::Staff(id.to_owned())),
                "operator" => Ok(Self::Operator(id.to_owned())),
                "person" => Ok(Self::Person(id.to_owned())),
                _ => Err(error()),
            },
            Some(_) => Err(error()),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for text in ["external", "stripe", "axiru", "agent:ag_1", "staff:p-2", "operator:op_0f", "person:per_1"] {
            assert_eq!(text.parse::<Actor>().map(String::from), Ok(text.to_owned()));
        }
    }

    #[test]
    fn names_and_addresses_are_no_ids() {
        for bad in ["", "agent", "agent:", "robot:1", "operator:a@b.example", "staff:Jo Doe", "external:1"] {
            assert!(bad.parse::<Actor>().is_err(), "{bad}");
        }
    }
}
