//! Operators: who an AWS caller is, in entries and links.
//!
//! The ledger cannot forget, so it holds a pseudonym; the caller's ARN stands in a row of its own that can be erased.
//! Row: pk `<mode>#operator#<id>`, sk `operator`; `arn`, `seen_at`.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Mode, Timestamp};
use sha2::{Digest, Sha256};

use crate::connect::token::hex;
use crate::error::AwsError;
use crate::item::s;
use crate::store::{Store, StoreError};

/// An operator, as their verified AWS identity names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    arn: String,
    id: String,
}

/// The text is not an AWS principal's ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the ARN of an AWS principal")]
pub struct OperatorError;

impl Operator {
    /// The operator with this ARN in a deployment. The id is `op_` and 16 hex digits of SHA-256(deployment LF arn).
    ///
    /// # Errors
    /// [`OperatorError`] for a text that is not an ARN.
    pub fn new(deployment: &str, arn: &str) -> Result<Self, OperatorError> {
        let fits = (20..=2_048).contains(&arn.len())
            && arn.starts_with("arn:")
            && arn.split(':').count() >= 6
            && arn.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(OperatorError);
        }
        let digest = Sha256::new().chain_update(deployment).chain_update("\n").chain_update(arn).finalize();
        let id = format!("op_{}", hex(&digest).chars().take(16).collect::<String>());
        Ok(Self { arn: arn.to_owned(), id })
    }

    /// The pseudonym.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The ARN itself. Never in entries or logs.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The operator as the actor of an entry.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Operator(self.id.clone())
    }

    /// The write that keeps the ARN beside the pseudonym. Written again with every use: the same row.
    pub(crate) fn row(&self, store: &Store, mode: Mode, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&store.state)
            .item("pk", s(format!("{mode}#operator#{}", self.id)))
            .item("sk", s("operator"))
            .item("arn", s(&self.arn))
            .item("seen_at", s(now.to_string()))
            .build()
            .map_err(|_| AwsError::unexpected("writing an operator", "request not built"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pseudonym_is_fixed_and_of_its_deployment() {
        let arn = "arn:aws:iam::111122223333:user/rosa";
        let operator = Operator::new("axiru", arn).unwrap();
        // printf 'axiru\narn:aws:iam::111122223333:user/rosa' | sha256sum
        assert_eq!(operator.id(), "op_de26805c4cc164a3");
        assert_ne!(operator.id(), Operator::new("other", arn).unwrap().id());
        assert_eq!(operator.actor().to_string().parse(), Ok(operator.actor()));
    }

    #[test]
    fn what_is_no_arn_is_no_operator() {
        let long = format!("arn:aws:iam::111122223333:user/{}", "a".repeat(2_100));
        for bad in ["", "rosa", "arn:aws:iam", "arn:aws:iam::111122223333", "arn:aws:iam::111122223333:user/a b", &long]
        {
            assert!(Operator::new("axiru", bad).is_err(), "{bad}");
        }
    }
}
