//! Ending a connection from Axiru's side: its tokens are deleted, and nothing more is taken for it or made with it. Its logs stay, and a new
//! install resumes them. What waits for people, or was approved and has not begun, is ended by the sweeper ([`crate::expire`]).

use axiru_domain::Timestamp;
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::connection::ConnectionState;
use crate::store::Store;

impl Store {
    /// Ends the connection of the scope.
    ///
    /// # Errors
    /// Refused without a reason, and where the scope was never connected.
    pub async fn disconnect(&self, act: &Act, why: &str, now: fn() -> Timestamp) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let connection = self.administered(&act.scope).await?;
            let answer = |changed: bool| json!({"changed": changed, "state": ConnectionState::Revoked.as_str()});
            if connection.state == ConnectionState::Revoked {
                return Ok(Effect::Nothing(answer(false)));
            }
            let fields = json!({"why_sha256": why.sha256()});
            let rows = vec![connection.revoked(self)?, why.row(self, &act.scope, &act.change)?];
            Ok(Effect::Change { ty: EntryType::ConnectionDisconnected, fields, rows, answer: answer(true) })
        })
        .await
    }
}
