//! Calling in links that were sent to approvers.
//!
//! A link's code covers three epochs: of the request, of the person, of the scope. Raising one makes every link under it another one than
//! was sent. A single link is marked in its own row. Rows: pk `<mode>#<account>#links`, sk `epoch`; `epoch`, `version`. The person's is
//! `link_epoch` in their row, the request's is in its approval.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use axiru_domain::{PersonId, RequestId, RequestStatus, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect, update_item};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::approval::LinkId;
use crate::item::{key, n, number, s, text};
use crate::reads::{RowKey, Version};
use crate::store::{Store, StoreError};

/// Which links are called in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Links {
    /// Those of a request that waits for people.
    OfRequest(RequestId),
    /// Those that were sent to a person.
    OfPerson(PersonId),
    /// This one.
    One(LinkId),
    /// All of the scope.
    All,
}

/// Where the epoch of a scope's links is.
pub(crate) fn epoch_key(scope: &Scope) -> RowKey {
    (format!("{}#links", scope.key()), "epoch".to_owned())
}

impl Store {
    /// The epoch of a scope's links: 0 until all of them are called in for the first time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scope_link_epoch(&self, scope: &Scope) -> Result<u64, StoreError> {
        let (pk, sk) = epoch_key(scope);
        Ok(self.row(&pk, &sk).await?.map_or(Ok(0), |row| number(&row, "epoch"))?)
    }

    /// Calls links in: whoever opens one is told to ask for another.
    ///
    /// # Errors
    /// Refused without a reason, and where there is no such request, person or link, or the request waits for nobody.
    pub async fn revoke_links(
        &self,
        act: &Act,
        links: &Links,
        why: &str,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let (request, person, link) = match links {
                Links::OfRequest(id) => (Some(id.as_str()), None, None),
                Links::OfPerson(id) => (None, Some(id.as_str()), None),
                Links::One(id) => (None, None, Some(id.text())),
                Links::All => (None, None, None),
            };
            let answer =
                |changed: bool| json!({"changed": changed, "request": request, "person": person, "link": link});
            let row = match links {
                Links::OfRequest(id) => self.raised_of_request(scope, id).await?,
                Links::OfPerson(id) => self.person(scope, id).await?.links_called_in(self, scope)?,
                Links::One(id) => match self.marked(scope, id).await? {
                    Some(row) => row,
                    None => return Ok(Effect::Nothing(answer(false))),
                },
                Links::All => self.raised_of_scope(scope).await?,
            };
            let fields = json!({"request": request, "person": person, "link": link, "why_sha256": why.sha256()});
            let rows = vec![row, why.row(self, scope, &act.change)?];
            Ok(Effect::Change { ty: EntryType::LinksRevoked, fields, rows, answer: answer(true) })
        })
        .await
    }

    async fn raised_of_request(&self, scope: &Scope, id: &RequestId) -> Result<TransactWriteItem, AdminError> {
        let mut row = self.known_request(scope, id).await?;
        let status = row.status;
        match row.approval.as_mut().filter(|_| status == RequestStatus::Pending) {
            Some(approval) => approval.epoch = approval.epoch.saturating_add(1),
            None => {
                let detail = format!("{id} is {status} and waits for nobody: its links decide nothing any more");
                return Err(AdminError::conflict("not_waiting", detail));
            }
        }
        Ok(row.put(self)?)
    }

    async fn raised_of_scope(&self, scope: &Scope) -> Result<TransactWriteItem, AdminError> {
        let at = epoch_key(scope);
        let row = self.row(&at.0, &at.1).await?;
        let epoch: u64 = row.as_ref().map_or(Ok(0), |row| number(row, "epoch"))?;
        Ok(Version::of(row.as_ref())?.put(self, &at, [("epoch", n(epoch.saturating_add(1)))])?)
    }

    /// The write that marks a link; none where it is marked.
    async fn marked(&self, scope: &Scope, id: &LinkId) -> Result<Option<TransactWriteItem>, AdminError> {
        let (pk, sk) = id.row_key(scope.mode());
        let row = self.row(&pk, &sk).await?;
        // A link of another account of the mode is none of this one.
        let own = row.as_ref().is_some_and(|row| text(row, "account") == Ok(scope.account().as_str()));
        let Some(row) = row.filter(|_| own) else {
            let detail =
                format!("{scope} has no such link, or it is over; call in those of a request or a person instead");
            return Err(AdminError::missing("no_such_link", detail));
        };
        if row.get("revoked").is_some_and(|value| value.as_bool() == Ok(&true)) {
            return Ok(None);
        }
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(pk, sk)))
            .update_expression("SET revoked = :yes")
            .condition_expression("account = :account AND (attribute_not_exists(revoked) OR revoked <> :yes)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":account", s(scope.account().as_str()));
        Ok(Some(update_item(update)?))
    }
}
