#![doc = include_str!("../README.md")]

mod account;
mod actor;
mod approval;
mod claimed;
mod counters;
mod currency;
mod decision;
mod execution;
mod fact;
mod intent;
mod key;
mod kind;
mod lane;
mod limit;
mod mode;
mod money;
mod movement;
mod period;
mod person;
mod rates;
mod request;
mod scope;
mod series;
mod sheet;
mod similar;
mod status;
mod stripe_id;
mod subject;
mod time;
mod usage;
mod window;

pub use account::{AccountId, AccountIdError};
pub use actor::{Actor, ActorError};
pub use approval::{APPROVED_SECS, Approval, AskedGroup, Choice, ChoiceError, GroupStanding, Vote, VoteRefused, Voted};
pub use claimed::{Claimed, ClaimedError};
pub use counters::{Count, Counters, CountersError, Reading, Stage, Sum};
pub use currency::{Currency, CurrencyError};
pub use decision::{Decision, Hold, Outcome, OutcomeError, PolicyMode, Reason, Verdict};
pub use execution::{
    Chore, Claim, Execution, Heard, KEY_SECS, LEASE_SECS, LOOK_AGAIN_SECS, Lease, Next, Starter, WEBHOOK_SECS,
    request_of_key, stripe_key,
};
pub use fact::{FACTS, Fact, FactSource, FactSpec, FactType, FactValue, Facts, FactsError};
pub use intent::{Intent, IntentError, ObjectRole, ObjectRoleError};
pub use key::{KeyHash, KeyHashError, KeyId, KeyIdError, KeyToken, KeyTokenError};
pub use kind::{Family, Kind, KindError};
pub use lane::{Lane, LaneError, Lanes, LogId, LogIdError};
pub use limit::{Limit, LimitReading, MAX_WINDOWS, OnExceed};
pub use mode::{Mode, ModeError};
pub use money::{MAX_SAFE_INTEGER, Money, MoneyError};
pub use movement::{Movement, MovementKey};
pub use period::{Period, PeriodError};
pub use person::{PersonId, PersonIdError};
pub use rates::{RateLimited, Rates};
pub use request::{IdempotencyKey, IdempotencyKeyError, RequestId, RequestIdError, sameness};
pub use scope::{Scope, ScopeError};
pub use series::{Series, SeriesError};
pub use sheet::{Asking, GroupLine, LimitLine, Original, Said, Sheet};
pub use similar::{OpenRequest, SIMILAR_SECS, Similar};
pub use status::{RequestStatus, RequestStatusError};
pub use stripe_id::{StripeId, StripeIdError};
pub use subject::{Per, Subject, SubjectError};
pub use time::{Date, Timestamp, TimestampError};
pub use usage::{Taken, Usage};
pub use window::{CalendarUnit, RollingSecs, Window, WindowError, Zone};
