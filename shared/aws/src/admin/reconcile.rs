//! Asking for a comparison of the ledger with Stripe's lists, and looking what became of it. The rows are [`crate::reconcile`]'s.

use axiru_domain::{Period, Scope, Timestamp};
use serde_json::{Value, json};

use crate::admin::act::{Act, ChangeId, Effect};
use crate::admin::refusal::AdminError;
use crate::connection::ConnectionState;
use crate::ledger::Writes;
use crate::store::Store;

impl Store {
    /// Asks for a comparison of a period; the change id is the run's. It writes no entry: the comparison does, when it is made. Whoever
    /// calls this puts the task on the queue, as often as it is asked.
    ///
    /// # Errors
    /// Refused where the scope has no token to ask Stripe with, and for a period that has not begun.
    pub async fn ask_reconcile(&self, act: &Act, period: Period, now: fn() -> Timestamp) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let scope = &act.scope;
            let state = self.connection(scope).await?.map(|connection| connection.state);
            if state != Some(ConnectionState::Active) {
                let state = state.map_or("not connected", ConnectionState::as_str);
                let detail = format!(
                    "{scope} is {state}, so that Stripe cannot be asked; connect it again with `axiru connect`"
                );
                return Err(AdminError::conflict("not_active", detail));
            }
            if period.from() >= now() {
                let detail = "the period has not begun (days and months are UTC)";
                return Err(AdminError::form("period_not_begun", detail));
            }
            let run = self.put_reconcile_run(scope, act.change.as_str(), period, &act.operator.actor(), now())?;
            let answer = json!({"run": act.change.as_str(), "period": period.to_string(), "status": "queued"});
            Ok(Effect::Ended { writes: Writes { drafts: Vec::new(), rows: vec![run] }, answer })
        })
        .await
    }

    /// What became of a run.
    ///
    /// # Errors
    /// Refused where none was asked for under that id, or longer ago than a month.
    pub async fn shown_reconcile(&self, scope: &Scope, run: &ChangeId) -> Result<Value, AdminError> {
        let row = self.reconcile_run(scope, run.as_str()).await?;
        row.map(|row| row.told()).ok_or_else(|| {
            AdminError::missing(
                "no_such_run",
                format!("no comparison of {scope} was asked for as {run} within the last month"),
            )
        })
    }
}
