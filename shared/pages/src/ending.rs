//! How a request stands and how it ended, in words that pages and mails share.

use axiru_domain::{Choice, StripeId, Timestamp};

use crate::sheet::utc;
use crate::text;

/// An answer that somebody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Who: an address, or the person's id where there is none.
    pub by: String,
    /// What.
    pub choice: Choice,
    /// When.
    pub at: Timestamp,
}

impl Answered {
    /// `Approved by rosa@shop.example, 2026-10-31 23:59 UTC`: it begins with a word of ours.
    #[must_use]
    pub fn in_words(&self) -> String {
        let did = match self.choice {
            Choice::Approve => "Approved",
            Choice::Deny => "Denied",
        };
        format!("{did} by {}, {}", text::address(&self.by), utc(self.at))
    }
}

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for people.
    Pending,
    /// People have approved it, and Axiru is about to make it, or is making it.
    Approved,
    /// People have approved it, and whoever asked may make it now.
    Released,
    /// Nothing more becomes of it.
    Ended(Ending),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One of those who were asked said no.
    Denied(Answered),
    /// Not enough people answered in time.
    Expired,
    /// It was approved and did not begin in time.
    NotBegun,
    /// Things are no longer as they were, or an operator ended it.
    Cancelled {
        /// Why, as a whole sentence in our own words.
        why: String,
    },
    /// It was made.
    Made {
        /// What Stripe made of it, where that is known.
        object: Option<StripeId>,
    },
    /// Stripe refused it.
    Refused {
        /// Stripe's word for why.
        code: Option<String>,
    },
    /// It was sent to Stripe, and what became of it is not known yet.
    Unknown,
}

impl Ending {
    /// The ending in a word or two, for a headline and a subject.
    #[must_use]
    pub const fn headline(&self) -> &'static str {
        match self {
            Self::Denied(_) => "Denied",
            Self::Expired => "Expired",
            Self::NotBegun => "Approved, but not made",
            Self::Cancelled { .. } => "Cancelled",
            Self::Made { .. } => "Made",
            Self::Refused { .. } => "Refused by Stripe",
            Self::Unknown => "Outcome not known yet",
        }
    }

    /// What happened, a sentence each.
    #[must_use]
    pub fn happened(&self) -> Vec<String> {
        const NOTHING: &str = "Axiru moved no money.";
        let said = |sentences: &[&str]| sentences.iter().map(|&sentence| sentence.to_owned()).collect();
        match self {
            Self::Denied(answer) => vec![format!("{}.", answer.in_words()), NOTHING.to_owned()],
            Self::Expired => said(&["Not enough people answered in time.", NOTHING]),
            Self::NotBegun => said(&["It was approved, but it did not begin in time.", NOTHING]),
            Self::Cancelled { why } => {
                vec![format!("Why: {}", text::Plain::line(why, text::MAX_CHARS)), NOTHING.to_owned()]
            }
            Self::Made { object: Some(object) } => vec![format!("It was approved and made: {object} at Stripe.")],
            Self::Made { object: None } => said(&["It was approved and made."]),
            Self::Refused { code } => {
                let code = code.as_deref().map(|code| format!(" ({})", text::name(code))).unwrap_or_default();
                vec![format!("It was approved and sent, and Stripe refused it{code}."), NOTHING.to_owned()]
            }
            Self::Unknown => said(&[
                "It was approved and sent to Stripe, and no clear answer came back.",
                "Axiru looks for it. Do not make it by hand meanwhile: it could then be made twice.",
            ]),
        }
    }
}

impl Standing {
    /// The answers without the one that the words of this standing tell already.
    pub fn others<'a>(&self, answers: &'a [Answered]) -> impl Iterator<Item = &'a Answered> {
        let told = match self {
            Self::Ended(Ending::Denied(answer)) => Some(answer.clone()),
            Self::Ended(_) | Self::Pending | Self::Approved | Self::Released => None,
        };
        answers.iter().filter(move |answer| Some(*answer) != told.as_ref())
    }

    /// Where the request stands, in a sentence or more.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        match self {
            Self::Pending => vec!["It waits for more people to approve. Nothing is made before.".to_owned()],
            Self::Approved => vec!["It is approved, and Axiru makes it now, if nothing has changed.".to_owned()],
            Self::Released => vec!["It is approved, and whoever asked may make it now.".to_owned()],
            Self::Ended(ending) => ending.happened(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(by: &str) -> Answered {
        Answered { by: by.to_owned(), choice: Choice::Deny, at: Timestamp::from_secs(1_793_491_199).unwrap() }
    }

    #[test]
    fn what_became_of_the_money_is_always_said() {
        let endings = [
            Ending::Denied(answered("rosa@shop.example")),
            Ending::Expired,
            Ending::NotBegun,
            Ending::Cancelled { why: "The payment has a dispute now.".to_owned() },
            Ending::Refused { code: Some("charge_already_refunded".to_owned()) },
        ];
        for ending in endings {
            assert!(ending.happened().contains(&"Axiru moved no money.".to_owned()), "{ending:?}");
        }
        for ending in [Ending::Made { object: None }, Ending::Unknown] {
            assert!(!ending.happened().concat().contains("no money"), "{ending:?}");
        }
    }

    #[test]
    fn who_and_when() {
        assert_eq!(answered("rosa@shop.example").in_words(), "Denied by rosa@shop.example, 2026-10-31 23:59 UTC");
        assert_eq!(
            answered("rosa\r\n@shop.example").in_words(),
            "Denied by rosa @shop[.]example, 2026-10-31 23:59 UTC"
        );
    }
}
