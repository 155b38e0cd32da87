//! One request to a scope, read: who, where, what. Nothing is done before all of it is understood.

use axiru_aws::admin::{Act, ChangeId};
use axiru_aws::connect::operator::Operator;
use axiru_domain::Scope;
use axiru_runtime::body::refuse;
use axiru_runtime::problem::Problem;
use sha2::{Digest, Sha256};

/// A request to a scope.
pub(crate) struct Asked<'a> {
    /// The verified caller.
    pub(crate) operator: &'a Operator,
    /// Where.
    pub(crate) scope: Scope,
    /// The whole path.
    pub(crate) path: &'a str,
    /// The raw body.
    pub(crate) body: &'a [u8],
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
}

impl Asked<'_> {
    /// The act under a change id.
    pub(crate) fn act(&self, change: ChangeId) -> Act {
        // The scope is in the path.
        let digest = Sha256::new().chain_update(self.path).chain_update("\n").chain_update(self.body).finalize();
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Act { scope: self.scope.clone(), change, digest, operator: self.operator.clone() }
    }

    /// Every value of a query parameter.
    pub(crate) fn parameters<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Refuses parameters that the route does not know.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Problem> {
        if self.query.iter().all(|(key, _)| names.contains(&key.as_str())) {
            return Ok(());
        }
        Err(refuse(match names {
            [] => "this route has no query parameters".to_owned(),
            _ => format!("this route has the query parameters {}", names.join(", ")),
        }))
    }
}
