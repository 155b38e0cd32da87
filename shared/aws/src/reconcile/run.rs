//! A run that an operator asked for, so that they can wait for its outcome.
//!
//! Row: pk `<mode>#<account>#reconcile`, sk `run#<change id>`; `period`, `actor`, `asked_at`, `status`, `stage`, `outcome` (JSON) or `reason`,
//! `expires_at`. It goes `queued -> running -> done | failed` and is final then.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Period, Scope, Timestamp};
use serde_json::{Value, json};

use super::reconciler::pk;
use crate::error::{AwsError, made};
use crate::item::{Item, RowError, n, parse, s, text};
use crate::store::{Store, StoreError};

/// How long a run can be looked at, in seconds: a month. The report stays.
const KEPT_SECS: i64 = 31 * 86_400;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// Its report stands.
    Done,
    /// There is no report.
    Failed,
}

impl RunStatus {
    /// The status's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more becomes of it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl std::str::FromStr for RunStatus {
    type Err = RowError;

    fn from_str(text: &str) -> Result<Self, RowError> {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Failed];
        all.into_iter().find(|status| status.as_str() == text).ok_or(RowError("status"))
    }
}

/// A run, as its row tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// The period.
    pub period: Period,
    /// Who asked.
    pub actor: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// How far it is.
    pub status: RunStatus,
    /// What it is doing.
    pub stage: Option<String>,
    /// What came of it.
    pub outcome: Option<Value>,
    /// Why there is no report.
    pub reason: Option<String>,
}

/// What is noted of a run.
pub(super) enum Note<'a> {
    /// It does that now.
    Stage(&'a str),
    /// Its report stands.
    Done(&'a Value),
    /// There is no report, for this reason.
    Failed(&'a str),
}

impl RunRow {
    fn of(row: &Item) -> Result<Self, RowError> {
        let optional = |name| row.contains_key(name).then(|| text(row, name).map(str::to_owned)).transpose();
        let outcome: Option<String> = optional("outcome")?;
        Ok(Self {
            period: parse(row, "period")?,
            actor: parse(row, "actor")?,
            asked_at: parse(row, "asked_at")?,
            status: parse(row, "status")?,
            stage: optional("stage")?,
            outcome: outcome.map(|text| serde_json::from_str(&text).map_err(|_| RowError("outcome"))).transpose()?,
            reason: optional("reason")?,
        })
    }

    /// What the person who asked is told.
    #[must_use]
    pub fn told(&self) -> Value {
        json!({
            "period": self.period.to_string(), "asked_at": self.asked_at.to_string(), "status": self.status.as_str(),
            "stage": self.stage, "outcome": self.outcome, "reason": self.reason,
        })
    }
}

fn sk(run: &str) -> String {
    format!("run#{run}")
}

impl Store {
    /// A run; none where none was asked for under that id, or long ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reconcile_run(&self, scope: &Scope, run: &str) -> Result<Option<RunRow>, StoreError> {
        let row = self.row(&pk(scope), &sk(run)).await?;
        Ok(row.as_ref().map(RunRow::of).transpose()?)
    }

    /// The write of a new run.
    pub(crate) fn put_reconcile_run(
        &self,
        scope: &Scope,
        run: &str,
        period: Period,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.state)
            .item("pk", s(pk(scope)))
            .item("sk", s(sk(run)))
            .item("period", s(period.to_string()))
            .item("actor", s(actor.to_string()))
            .item("asked_at", s(now.to_string()))
            .item("status", s(RunStatus::Queued.as_str()))
            .item("expires_at", n(now.plus_secs(KEPT_SECS).secs()))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| AwsError::unexpected("asking for a comparison", "request not built"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Notes how far a run is, unless it is over already.
    pub(super) async fn note_run(&self, scope: &Scope, run: &str, note: Note<'_>) -> Result<(), AwsError> {
        let (status, name, value) = match note {
            Note::Stage(stage) => (RunStatus::Running, "stage", stage.to_owned()),
            Note::Done(outcome) => (RunStatus::Done, "outcome", outcome.to_string()),
            Note::Failed(reason) => (RunStatus::Failed, "reason", reason.to_owned()),
        };
        let request = self
            .client
            .update_item()
            .table_name(&self.state)
            .key("pk", s(pk(scope)))
            .key("sk", s(sk(run)))
            .update_expression("SET #status = :status, #value = :value")
            .condition_expression("#status IN (:queued, :running)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#value", name)
            .expression_attribute_values(":status", s(status.as_str()))
            .expression_attribute_values(":value", s(value))
            .expression_attribute_values(":queued", s(RunStatus::Queued.as_str()))
            .expression_attribute_values(":running", s(RunStatus::Running.as_str()));
        // Where it is not made, the run is over already: by an earlier try of this very write, or of the run.
        made("noting a run", request.send().await).map(drop)
    }
}
