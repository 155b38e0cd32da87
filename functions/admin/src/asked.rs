//! One request to a scope, read: who, where, what. Nothing is done before all of it is understood.

use axiru_aws::admin::{Act, ChangeId};
use axiru_aws::connect::operator::Operator;
use axiru_domain::Scope;
use axiru_runtime::problem::Problem;
use http::StatusCode;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Largest body that is read: a plan's text of 64 KiB with every character escaped, and its head.
const MAX_BYTES: usize = 512 * 1_024;

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

/// A refusal of what was asked for.
pub(crate) fn refuse(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request_refused", detail)
}

/// Reads a body as JSON, strictly. What a body holds is not repeated beyond the names of its fields.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.len() > MAX_BYTES {
        return Err(refuse(format!("the body is longer than {MAX_BYTES} bytes")));
    }
    // A list would pass for an object whose fields stand in order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(refuse("the body is not a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let said = match message.split(" at line ").next().unwrap_or_default() {
            // These name fields of ours; all other messages may repeat a value.
            named if named.starts_with("missing field") || named.starts_with("duplicate field") => named.to_owned(),
            named if named.starts_with("unknown field") => {
                format!("a field that is none of these: {}", named.split_once("expected ").map_or("", |(_, of)| of))
            }
            _ => format!("a value is not of its form, before line {} column {}", error.line(), error.column()),
        };
        refuse(format!("the body is not as it should be: {said}"))
    })
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

/// Deserialises what has one text and one parser, without repeating the text when it is refused.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("not of its form"))
}
