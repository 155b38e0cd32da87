//! What a plan says of the people it asks for: only what it says. Where it is silent, the group's own defaults hold, which are no part of a
//! plan and so no part of a verdict.

/// What one rule or limit asks of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The rule or limit.
    pub rule: String,
    /// Whom it asks.
    pub group: String,
    /// How many of them, where it says.
    pub quorum: Option<u32>,
    /// How long they have, in seconds, where it says.
    pub expires_secs: Option<u32>,
    /// Why, in its author's words.
    pub why: Option<String>,
}
