//! People who ask for a new link, because theirs has expired. `approve` notes it and can send nothing; `notify` sends it, to the address on
//! file and to no other.
//!
//! Row: pk `<mode>#<account>#resend`, sk `<request>#<person>`; `asked` and `mailed` (milliseconds), `expires_at`.

use axiru_domain::{PersonId, RequestId, Scope, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, text};
use crate::store::{Store, StoreError};

/// Least time between two asks of one person for one request, in milliseconds: a link that leaked must not fill a mailbox.
const PAUSE_MS: i64 = 600_000;

/// How long an ask is kept, in seconds.
const KEPT_SECS: i64 = 86_400;

/// A new link that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The request.
    pub request: RequestId,
    /// Who.
    pub person: PersonId,
    /// When, in milliseconds since 1970.
    pub asked: i64,
}

fn pk(scope: &Scope) -> String {
    format!("{}#resend", scope.key())
}

fn sk(request: &RequestId, person: &PersonId) -> String {
    format!("{request}#{person}")
}

impl Wanted {
    /// The ask in a row; none where it was answered.
    fn of(row: &Item) -> Result<Option<Self>, RowError> {
        let asked: i64 = number(row, "asked")?;
        let mailed: i64 = if row.contains_key("mailed") { number(row, "mailed")? } else { 0 };
        let (request, person) = text(row, "sk")?.split_once('#').ok_or(RowError("sk"))?;
        let request = request.parse().map_err(|_| RowError("sk"))?;
        let person = person.parse().map_err(|_| RowError("sk"))?;
        Ok((mailed < asked).then_some(Self { request, person, asked }))
    }
}

impl Store {
    /// Notes that a person asks for a new link; false where they asked within the last ten minutes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_for_link(
        &self,
        scope: &Scope,
        request: &RequestId,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(pk(scope), sk(request, person))))
            .update_expression("SET asked = :now, expires_at = :end")
            .condition_expression("attribute_not_exists(asked) OR asked <= :before")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":before", n(now.millis().saturating_sub(PAUSE_MS)))
            .expression_attribute_values(":end", n(now.plus_secs(KEPT_SECS).secs()));
        match update.send().await {
            Ok(_) => Ok(true),
            // Noted before, by this very call too if its answer was lost.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(AwsError::of("asking for a link")(error).into()),
        }
    }

    /// The asks of a scope that wait for an answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn links_wanted(&self, scope: &Scope) -> Result<Vec<Wanted>, StoreError> {
        let rows = self.partition(&pk(scope)).await?;
        let wanted = rows.iter().filter_map(|row| Wanted::of(row).transpose());
        Ok(wanted.collect::<Result<_, RowError>>()?)
    }

    /// Notes that an ask was answered. A later ask stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_resent(&self, scope: &Scope, wanted: &Wanted) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(pk(scope), sk(&wanted.request, &wanted.person))))
            .update_expression("SET mailed = :asked")
            // Where the row has expired there is nothing to note.
            .condition_expression("attribute_exists(asked)")
            .expression_attribute_values(":asked", n(wanted.asked));
        match update.send().await {
            Err(error) if !error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(AwsError::of("answering an ask")(error).into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sk: &str, asked: i64, mailed: Option<i64>) -> Item {
        let mut row = key("test#acct_1#resend", sk);
        row.insert("asked".into(), n(asked));
        if let Some(mailed) = mailed {
            row.insert("mailed".into(), n(mailed));
        }
        row
    }

    #[test]
    fn an_ask_is_open_until_it_is_answered_and_again_when_it_is_asked_later() {
        let own = format!("dec_{}#per_rosarosarosarosa", "1".repeat(32));
        assert!(Wanted::of(&row(&own, 5, None)).unwrap().is_some());
        assert!(Wanted::of(&row(&own, 5, Some(5))).unwrap().is_none());
        assert!(Wanted::of(&row(&own, 9, Some(5))).unwrap().is_some());
        for bad in ["", "dec_1#per_1", "per_rosarosarosarosa", &own.replace('#', "/")] {
            assert_eq!(Wanted::of(&row(bad, 5, None)).unwrap_err(), RowError("sk"), "{bad}");
        }
    }
}
