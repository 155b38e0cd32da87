#![doc = include_str!("../README.md")]

mod answer;
mod asked;
mod cases;
mod check;
mod demand;
mod document;
mod expression;
mod guard;
mod hint;
mod limit_text;
mod limits;
mod plan;
mod plan_set;
mod problem;
mod question;
pub mod record;
mod replay;
mod residual;
mod rule;
mod schema;
mod slice;
mod starter;
mod tally;
mod text;

pub use asked::{Asked, CountedFor};
pub use cases::{Case, CaseResult, Cases, CasesReport};
pub use demand::Demand;
pub use plan::Plan;
pub use plan_set::{PlanSet, decide};
pub use problem::{PlanError, Problem};
pub use replay::{ReplayError, Replayed, replay};
pub use rule::{Rule, RuleEffect};
pub use schema::schema_text;
pub use starter::{StarterDocument, starter, starter_cases, starter_documents};
