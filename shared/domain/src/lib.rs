#![doc = include_str!("../README.md")]

mod account;
mod actor;
mod currency;
mod decision;
mod fact;
mod key;
mod kind;
mod lane;
mod mode;
mod money;
mod movement;
mod person;
mod scope;
mod stripe_id;
mod time;

pub use account::{AccountId, AccountIdError};
pub use actor::{Actor, ActorError};
pub use currency::{Currency, CurrencyError};
pub use decision::{Decision, Hold, Outcome, OutcomeError, PolicyMode, Reason, Verdict};
pub use fact::{FACTS, Fact, FactSource, FactSpec, FactType, FactValue, Facts, FactsError};
pub use key::{KeyHash, KeyHashError, KeyId, KeyIdError, KeyToken, KeyTokenError};
pub use kind::{Family, Kind, KindError};
pub use lane::{Lane, LaneError, Lanes, LogId, LogIdError};
pub use mode::{Mode, ModeError};
pub use money::{MAX_SAFE_INTEGER, Money, MoneyError};
pub use movement::{Movement, MovementKey};
pub use person::{PersonId, PersonIdError};
pub use scope::{Scope, ScopeError};
pub use stripe_id::{StripeId, StripeIdError};
pub use time::{Date, Timestamp, TimestampError};
