//! What plans say of a movement, and what follows.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::LimitReading;

/// The answer to a movement, ordered by strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It may move.
    Allow,
    /// It waits for people.
    RequireApproval,
    /// It may not move.
    Block,
}

impl Outcome {
    /// Every outcome, most lenient first.
    pub const ALL: [Self; 3] = [Self::Allow, Self::RequireApproval, Self::Block];

    /// The outcome's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::RequireApproval => "require_approval",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not an outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an outcome: expected allow, require_approval or block")]
pub struct OutcomeError(String);

impl FromStr for Outcome {
    type Err = OutcomeError;

    fn from_str(text: &str) -> Result<Self, OutcomeError> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| OutcomeError(text.chars().take(40).collect()))
    }
}

/// Whether a plan only records or also holds and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyMode {
    /// Its verdict is recorded and changes nothing.
    Shadow,
    /// Its verdict counts.
    Enforce,
}

impl PolicyMode {
    /// `shadow` or `enforce`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Enforce => "enforce",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The policy of this id determined it.
    Policy(String),
    /// No policy permits the movement.
    NothingPermits,
    /// The answer depends on this fact, which is unknown.
    FactUnknown(String),
    /// An unknown fact could turn the answer into a block. Always beside a [`Reason::FactUnknown`].
    BlockPossible,
    /// The policy of this id could not be evaluated.
    EvaluationError(String),
    /// The plan itself could not be loaded or asked.
    PlanUnusable,
    /// The limit of this id would be passed.
    Limit(String),
}

/// Written `policy:large-refund`, `nothing_permits`, `fact_unknown:charge_age_days`, `block_possible`, `evaluation_error:x`,
/// `plan_unusable`, `limit:agent-per-day`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(id) => write!(f, "policy:{id}"),
            Self::NothingPermits => f.write_str("nothing_permits"),
            Self::FactUnknown(name) => write!(f, "fact_unknown:{name}"),
            Self::BlockPossible => f.write_str("block_possible"),
            Self::EvaluationError(id) => write!(f, "evaluation_error:{id}"),
            Self::PlanUnusable => f.write_str("plan_unusable"),
            Self::Limit(id) => write!(f, "limit:{id}"),
        }
    }
}

/// Who would have to approve, as one holding policy or limit asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    /// The policy or limit that asks.
    pub policy: String,
    /// The group of approvers.
    pub group: String,
    /// How many of them.
    pub quorum: u32,
    /// How long they have, in seconds.
    pub expires_secs: u32,
}

/// One plan's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The plan's name.
    pub plan: String,
    /// SHA-256 of the plan document, in lower-case hex: which version answered.
    pub plan_sha256: String,
    /// Whether the plan's answer counts.
    pub policy_mode: PolicyMode,
    /// The answer.
    pub outcome: Outcome,
    /// Every reason, sorted, none twice.
    pub reasons: BTreeSet<Reason>,
    /// What the holding policies and limits ask for. Empty unless the outcome is to require approval.
    pub holds: BTreeSet<Hold>,
    /// Every limit of the plan that applies, as it stood before the movement, in the order of their ids.
    pub limits: Vec<LimitReading>,
}

/// All verdicts for one movement, and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    verdicts: Vec<Verdict>,
}

impl Decision {
    /// The decision that these verdicts make.
    #[must_use]
    pub fn new(verdicts: Vec<Verdict>) -> Self {
        Self { verdicts }
    }

    /// The verdicts, in the order of the plans.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// The outcome: the strictest verdict of the enforced plans; allow where none is enforced.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let enforced = self.verdicts.iter().filter(|verdict| verdict.policy_mode == PolicyMode::Enforce);
        enforced.map(|verdict| verdict.outcome).max().unwrap_or(Outcome::Allow)
    }

    /// What the outcome would be if every plan were enforced: the strictest verdict of all.
    #[must_use]
    pub fn would_be(&self) -> Outcome {
        self.verdicts.iter().map(|verdict| verdict.outcome).max().unwrap_or(Outcome::Allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy_mode: PolicyMode, outcome: Outcome) -> Verdict {
        Verdict {
            plan: "p".into(),
            plan_sha256: "0".repeat(64),
            policy_mode,
            outcome,
            reasons: BTreeSet::new(),
            holds: BTreeSet::new(),
            limits: vec![],
        }
    }

    #[test]
    fn shadow_plans_never_change_the_outcome() {
        for shadow in Outcome::ALL {
            for enforced in Outcome::ALL {
                let decision =
                    Decision::new(vec![verdict(PolicyMode::Shadow, shadow), verdict(PolicyMode::Enforce, enforced)]);
                assert_eq!(decision.outcome(), enforced);
                assert_eq!(decision.would_be(), shadow.max(enforced));
            }
            let only_shadow = Decision::new(vec![verdict(PolicyMode::Shadow, shadow)]);
            assert_eq!((only_shadow.outcome(), only_shadow.would_be()), (Outcome::Allow, shadow));
        }
        assert_eq!(Decision::new(vec![]).would_be(), Outcome::Allow);
    }

    #[test]
    fn strictness_is_the_order() {
        assert!(Outcome::Allow < Outcome::RequireApproval && Outcome::RequireApproval < Outcome::Block);
        assert!("approve".parse::<Outcome>().is_err());
    }
}
