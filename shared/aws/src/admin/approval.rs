//! Requests that wait for people, for an operator's eyes; and ending one.
//!
//! An operator never approves here: approving is a person's, by their own link. Ending is always safe: nothing is made.

use axiru_domain::{Approval, PersonId, RequestId, RequestStatus, Scope, Timestamp};
use axiru_ledger::entry::{Draft, Entry};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::ended;
use crate::groups::Group;
use crate::item::RowError;
use crate::requests::{Failure, RequestRow};
use crate::store::Store;

/// The word for a request that an operator ended, in its entry and in what its caller is answered.
const BY_OPERATOR: &str = "operator";

/// Whether a person is a member of a group now.
fn still(groups: &[Group]) -> impl Fn(&str, &PersonId) -> bool + Copy {
    move |name, person| groups.iter().any(|group| group.name == name && group.members.contains(person))
}

/// A moment in milliseconds, as text.
fn moment(millis: i64) -> Option<String> {
    Timestamp::from_millis(millis).ok().map(|at| at.to_string())
}

/// One line of a list: what would be made, who asks, how the groups stand.
fn shown(row: &RequestRow, entry: &Entry, groups: &[Group]) -> Value {
    let field = |name: &str| entry.fields().get(name).cloned().unwrap_or_default();
    let standing = row.approval.as_ref().map(|approval| approval.standing(still(groups))).unwrap_or_default();
    let standing = standing.iter().map(
        |group| json!({"group": group.group, "quorum": group.quorum, "approved": group.approved, "able": group.able}),
    );
    let until = row.approval.as_ref().and_then(|approval| moment(approval.until));
    json!({
        "decision_id": row.id.as_str(),
        "status": row.status.as_str(),
        "kind": row.kind.as_str(),
        "amount_minor": field("amount_minor"),
        "currency": field("currency"),
        "objects": field("objects"),
        "actor": row.actor.to_string(),
        "operator": field("operator"),
        "decided_at": row.decided_at.to_string(),
        // Before there were approvals a held request had only its own end.
        "until": until.or_else(|| row.open_until.map(|until| until.to_string())),
        "groups": standing.collect::<Vec<_>>(),
    })
}

/// Who was asked and what they said.
fn people(approval: &Approval, groups: &[Group]) -> (Value, Value) {
    let still = still(groups);
    let asked = approval.groups.iter().flat_map(|group| {
        group.approvers.iter().map(move |person| {
            json!({"group": group.group, "person": person.as_str(), "still": still(&group.group, person)})
        })
    });
    let votes = approval
        .votes
        .iter()
        .map(|vote| json!({"person": vote.person.as_str(), "choice": vote.choice.as_str(), "at": moment(vote.at)}));
    (asked.collect(), votes.collect())
}

/// The refusal where there is no such request.
pub(crate) fn no_such_request(scope: &Scope, id: &RequestId) -> AdminError {
    AdminError::missing(
        "no_such_request",
        format!("{scope} has no request {id}; `axiru approval list --scope {scope}` shows those that wait for people"),
    )
}

impl Store {
    /// A request's row.
    pub(crate) async fn known_request(&self, scope: &Scope, id: &RequestId) -> Result<RequestRow, AdminError> {
        self.request_row(scope, id).await?.ok_or_else(|| no_such_request(scope, id))
    }

    async fn entry_of_request(&self, row: &RequestRow) -> Result<Entry, AdminError> {
        Ok(self.entry(&row.log(), row.seq).await.map_err(AdminError::Commit)?.ok_or(RowError("seq"))?)
    }

    /// The requests of a scope that wait for people, the oldest first, and whether there are more than are read at once.
    ///
    /// # Errors
    /// Refused where the scope was never connected.
    pub async fn approvals(&self, scope: &Scope) -> Result<(Vec<Value>, bool), AdminError> {
        self.administered(scope).await?;
        let groups = self.groups(scope).await?;
        let waiting = self.waiting(scope).await?;
        let mut list = Vec::with_capacity(waiting.rows.len());
        for row in &waiting.rows {
            list.push(shown(row, &self.entry_of_request(row).await?, &groups));
        }
        Ok((list, waiting.more))
    }

    /// One request that waits or waited for people: who was asked, who said what and when.
    ///
    /// # Errors
    /// Refused where the scope has no such request.
    pub async fn approval(&self, scope: &Scope, id: &RequestId) -> Result<Value, AdminError> {
        self.administered(scope).await?;
        let row = self.known_request(scope, id).await?;
        let groups = self.groups(scope).await?;
        let mut value = shown(&row, &self.entry_of_request(&row).await?, &groups);
        if let Some(value) = value.as_object_mut() {
            let (asked, votes) =
                row.approval.as_ref().map_or((json!([]), json!([])), |approval| people(approval, &groups));
            let approval = row.approval.as_ref();
            value.insert("asked".to_owned(), asked);
            value.insert("votes".to_owned(), votes);
            let reasons = approval.iter().flat_map(|approval| &approval.reasons);
            let reasons = reasons.map(|(reason, says)| json!({"reason": reason, "says": says}));
            value.insert("reasons".to_owned(), reasons.collect());
            value.insert("action_sha256".to_owned(), json!(approval.map(|approval| approval.action.as_str())));
            value.insert("begins_by".to_owned(), json!(approval.and_then(|approval| moment(approval.begins_by?))));
            value.insert("failure".to_owned(), json!(row.failure.as_ref().map(|failure| failure.reason.as_str())));
        }
        Ok(value)
    }

    /// Ends a request that waits for people, or that they have approved and that has not begun: what it holds is free, its sealed parameters
    /// are gone.
    ///
    /// # Errors
    /// Refused without a reason, and where it has ended or is under way at Stripe.
    pub async fn cancel_request(
        &self,
        act: &Act,
        id: &RequestId,
        why: &str,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        // The lane of a request never changes. Who asks again is answered from the first answer, whatever became of the request.
        let log = match self.request_row(&act.scope, id).await? {
            Some(row) => row.log(),
            None => {
                self.administered(&act.scope).await?;
                return Err(no_such_request(&act.scope, id));
            }
        };
        self.act_in(&log, act, now, || async {
            let mut row = self.known_request(&act.scope, id).await?;
            let before = row.status;
            match before {
                RequestStatus::Pending | RequestStatus::Approved => {}
                RequestStatus::Cancelled => {
                    return Ok(Effect::Nothing(json!({"changed": false, "decision_id": id.as_str()})));
                }
                status => {
                    let detail = format!(
                        "{id} is {status}: only what waits for people, or was approved and has not begun, can be ended (`axiru approval \
                         show {id} --scope {}`)",
                        act.scope
                    );
                    return Err(AdminError::conflict("not_waiting", detail));
                }
            }
            row.failure = Some(Failure { reason: BY_OPERATOR.to_owned(), status: None, code: None });
            let fields = json!({"request": id.as_str(), "before": before.as_str(), "reason": BY_OPERATOR});
            let fields = fields.as_object().cloned().unwrap_or_default();
            let actor = act.operator.actor();
            let draft = Draft { log: row.log(), actor, ty: EntryType::ApprovalCancelled, fields };
            let mut writes = ended::end(self, row, RequestStatus::Cancelled, vec![draft], now()).await?;
            writes.rows.push(why.row(self, &act.scope, &act.change)?);
            let answer = json!({"changed": true, "decision_id": id.as_str(), "before": before.as_str()});
            Ok(Effect::Ended { writes, answer })
        })
        .await
    }
}
