//! The plans that Axiru comes with, compiled in.

use sha2::{Digest, Sha256};

use crate::cases::Cases;
use crate::document::Document;
use crate::plan::{Plan, hex};
use crate::problem::PlanError;

/// `plan.json`, `policies.cedar` and `cases.json` of each, in the order of the families.
macro_rules! starter {
    ($($name:literal),*) => {
        [$((
            include_str!(concat!("../../../infra/plans/", $name, "/plan.json")),
            include_str!(concat!("../../../infra/plans/", $name, "/policies.cedar")),
            include_str!(concat!("../../../infra/plans/", $name, "/cases.json")),
        )),*]
    };
}

const STARTER: [(&str, &str, &str); 4] = starter!("refunds", "disputes", "payouts", "transfers");

/// The four starter plans: refunds, disputes, payouts, transfers. Meant to be recorded, and used in shadow, when an account
/// is connected.
///
/// # Errors
/// [`PlanError`] only if Axiru was built from broken plans, which its tests refuse.
pub fn starter() -> Result<Vec<Plan>, PlanError> {
    STARTER.iter().map(|(plan, policies, _)| Plan::parse(plan, policies)).collect()
}

/// A starter plan as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarterDocument {
    /// The plan's name.
    pub name: String,
    /// SHA-256 of the document in lower-case hex: the version's name.
    pub sha256: String,
    /// The document's exact bytes.
    pub document: Vec<u8>,
}

/// The starter plans as they are recorded, in the same order, without asking Cedar whether they are plans: that they are is for the tests
/// of this crate, and for whoever asks them later. Parsing all four takes longer than everything else that a function does to start.
///
/// # Errors
/// As for [`starter`].
pub fn starter_documents() -> Result<Vec<StarterDocument>, PlanError> {
    let recorded = |(plan, policies, _): &(&str, &str, &str)| {
        let document = Document::from_parts(plan, policies)?;
        let bytes = document.bytes();
        Ok(StarterDocument { name: document.name, sha256: hex(&Sha256::digest(&bytes)), document: bytes })
    };
    STARTER.iter().map(recorded).collect()
}

/// The starter plans' cases, in the same order.
///
/// # Errors
/// As for [`starter`].
pub fn starter_cases() -> Result<Vec<Cases>, PlanError> {
    STARTER.iter().map(|(_, _, cases)| Cases::parse(cases)).collect()
}

/// `plan.json` and `policies.cedar` of each.
#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    STARTER.iter().map(|(plan, policies, _)| (*plan, *policies))
}

#[cfg(test)]
mod tests {
    use axiru_domain::{FactSource, FactSpec};

    use super::*;

    #[test]
    fn what_is_recorded_is_what_is_asked() {
        let asked = starter().unwrap();
        let recorded = starter_documents().unwrap();
        assert_eq!(asked.len(), recorded.len());
        for (asked, recorded) in asked.iter().zip(recorded) {
            assert_eq!(asked.name(), recorded.name);
            assert_eq!(asked.sha256(), recorded.sha256);
            assert_eq!(asked.document(), recorded.document);
        }
    }

    #[test]
    fn every_case_passes_and_every_rule_has_one() {
        for (plan, cases) in starter().unwrap().iter().zip(starter_cases().unwrap()) {
            let report = cases.run(plan);
            for result in &report.results {
                assert!(result.passed(), "{}: {result:?}", plan.name());
            }
            assert!(report.results.len() >= 8, "{}", plan.name());
            assert_eq!(report.silent_rules, Vec::<String>::new(), "{}", plan.name());
        }
    }

    #[test]
    fn stripe_is_asked_for_one_fact_only() {
        let mut asked = Vec::new();
        for plan in starter().unwrap() {
            for kind in plan.kinds() {
                let read = plan.facts_read(*kind).map(|name| FactSpec::find(*kind, name).unwrap());
                asked.extend(read.filter(|spec| spec.source == FactSource::Stripe).map(|spec| (*kind, spec.name)));
            }
        }
        assert_eq!(asked, [(axiru_domain::Kind::Refund, "charge_disputed")]);
    }

    #[test]
    fn two_windows_are_counted_for_a_movement_at_most() {
        let mut plans = crate::PlanSet::new();
        for plan in starter().unwrap() {
            plans.push(std::sync::Arc::new(plan), axiru_domain::PolicyMode::Shadow);
        }
        assert_eq!(plans.most_windows(), 2);
    }

    #[test]
    fn they_cover_every_kind_once() {
        let plans = starter().unwrap();
        for kind in axiru_domain::Kind::ALL {
            assert_eq!(plans.iter().filter(|plan| plan.covers(kind)).count(), 1, "{kind}");
        }
    }
}
