//! The plans that Axiru comes with, compiled in.

use crate::cases::Cases;
use crate::plan::Plan;
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
    fn they_need_nothing_that_stripe_must_be_asked_for() {
        for plan in starter().unwrap() {
            for kind in plan.kinds() {
                for name in plan.facts_read(*kind) {
                    assert_eq!(
                        FactSpec::find(*kind, name).unwrap().source,
                        FactSource::Object,
                        "{} {name}",
                        plan.name()
                    );
                }
            }
        }
    }

    #[test]
    fn they_cover_every_kind_once() {
        let plans = starter().unwrap();
        for kind in axiru_domain::Kind::ALL {
            assert_eq!(plans.iter().filter(|plan| plan.covers(kind)).count(), 1, "{kind}");
        }
    }
}
