//! The persons of a scope, as far as mail needs them.

use axiru_domain::{PersonId, Scope};

use crate::item::{RowError, parse, texts};
use crate::store::{Store, StoreError};

/// How a person is reached. It holds addresses, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Reached {
    /// Who.
    pub id: PersonId,
    /// The addresses on file.
    pub emails: Vec<String>,
    /// Whether they act as an AWS principal: whether they can be an operator.
    pub has_principal: bool,
}

impl Store {
    /// The persons of a scope, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self, scope: &Scope) -> Result<Vec<Reached>, StoreError> {
        let rows = self.partition(&format!("{}#persons", scope.key())).await?;
        let reached = rows.iter().map(|row| {
            let emails = texts(row, "emails")?;
            Ok(Reached { id: parse(row, "sk")?, emails, has_principal: !texts(row, "principals")?.is_empty() })
        });
        Ok(reached.collect::<Result<_, RowError>>()?)
    }
}
