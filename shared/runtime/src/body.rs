//! Bodies of operators' requests: JSON, read strictly. Nothing is done before all of a body is understood.

use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Largest body that is read: a plan's text of 64 KiB with every character escaped, and its head.
const MAX_BYTES: usize = 512 * 1_024;

/// A refusal of what was asked for.
#[must_use]
pub fn refuse(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request_refused", detail)
}

/// Reads a body as JSON, strictly. What a body holds is not repeated beyond the names of its fields.
///
/// # Errors
/// The refusal for the one who asked.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
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

/// Deserialises what has one text and one parser, without repeating the text when it is refused.
///
/// # Errors
/// Where the text is not of its form.
pub fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("not of its form"))
}
