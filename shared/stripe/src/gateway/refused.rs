//! Refusals: stable words, each with what is wrong and what to do instead. Never a value that was sent.

use axiru_domain::Family;

/// A call that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// One of [`CODES`].
    pub code: &'static str,
    /// The parameter or header at fault: its name, where that is short and plain.
    pub param: Option<String>,
    /// What is wrong and what to do instead, for a person. Holds no value that was sent.
    pub message: String,
    /// The HTTP status. 400, 403 and 404 are the ones that Stripe's libraries read as the caller's mistake and do not try again.
    pub status: u16,
    /// A write of that family: what was sent may be passed on as it came while nothing of the family is enforced. None: refused always.
    pub family: Option<Family>,
}

/// A reason for which calls are refused.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The word.
    pub word: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and what to do instead.
    pub says: &'static str,
}

const fn code(word: &'static str, status: u16, says: &'static str) -> Code {
    Code { word, status, says }
}

/// Every reason.
pub const CODES: &[Code] = &[
    code(
        "axiru_account",
        400,
        "the account is not one that this key may act on. Send `Stripe-Account` once, with an account of the key, or leave it out.",
    ),
    code(
        "axiru_amount",
        400,
        "an amount is written with digits only, without sign, point, exponent, blanks or leading zeros, above zero, in minor units that the currency allows.",
    ),
    code("axiru_api_v2", 404, "Axiru speaks Stripe's API v1. Use a client that goes to Stripe directly for API v2."),
    code("axiru_body_on_read", 400, "a read has no body. Send the parameters in the query."),
    code(
        "axiru_body_too_large",
        400,
        "the body is larger than 64 KiB. Send less, or stage evidence in several calls with `submit=false`.",
    ),
    code(
        "axiru_conflict",
        400,
        "two parameters, or a parameter and the path, say what the call is about and could disagree. Say it once.",
    ),
    code("axiru_content_encoding", 400, "a body that is compressed or otherwise encoded is not read. Send it plain."),
    code("axiru_content_type", 400, "only `application/x-www-form-urlencoded` is read, as Stripe's API v1 is spoken."),
    code("axiru_currency", 400, "a currency that Stripe moves is written with three lower-case letters."),
    code("axiru_duplicate_parameter", 400, "the parameter is given more than once. Send it once."),
    code("axiru_empty_parameter", 400, "the parameter is empty. Give it a value, or leave it out."),
    code(
        "axiru_encoding",
        400,
        "the parameters are not well-formed: UTF-8, `%` with two hex digits, `name=value` joined by single `&`, no control characters.",
    ),
    code(
        "axiru_expand",
        400,
        "this expansion is not passed on: it would show bank accounts, cards or customers, or is not known. Read the object with a client that goes to Stripe directly.",
    ),
    code(
        "axiru_files",
        404,
        "files are not proxied. Upload with a client that goes to Stripe directly and send the id of the file.",
    ),
    code("axiru_header_duplicate", 400, "the header is given more than once, or is not plain text. Send it once."),
    code("axiru_id", 400, "not the id of an object that this parameter takes."),
    code(
        "axiru_idempotency_key",
        400,
        "an idempotency key is 1 to 255 printable ASCII characters, without blanks at its ends.",
    ),
    code(
        "axiru_metadata",
        400,
        "metadata has at most 48 keys of 1 to 40 characters, with values of at most 500; two keys more are Axiru's.",
    ),
    code(
        "axiru_metadata_reserved",
        400,
        "metadata that begins with `axiru_` is written by Axiru only. Use another name.",
    ),
    code("axiru_method", 400, "only GET and POST are taken."),
    code(
        "axiru_method_override",
        400,
        "the method, host or path of a call cannot be overridden by a header. Leave the header out.",
    ),
    code(
        "axiru_nested_parameter",
        400,
        "the parameter is not nested like this. Write it as Stripe's documentation does.",
    ),
    code("axiru_parameter_missing", 400, "the parameter is needed and missing."),
    code(
        "axiru_parameter_not_taken",
        400,
        "Stripe knows this parameter, but it changes what is moved in a way that Axiru does not decide on. Leave it out.",
    ),
    code(
        "axiru_path",
        404,
        "the path is not written as Stripe's documentation writes it: lower case, no encoded characters, no dots, no doubled or trailing slash, ids as Stripe issues them.",
    ),
    code("axiru_path_id", 404, "the id in the path is one of another kind of object."),
    code(
        "axiru_query_on_write",
        400,
        "a write has no query: Stripe would merge it into the body. Send every parameter in the body.",
    ),
    code(
        "axiru_route_unknown",
        404,
        "Axiru does not proxy this route. Point only the client for refunds, payouts, transfers and disputes at Axiru, and use Stripe directly for everything else.",
    ),
    code(
        "axiru_side_door",
        403,
        "this route moves money past the policies that are enforced here. Use the route of the same family that Axiru decides on.",
    ),
    code("axiru_stripe_context", 400, "`Stripe-Context` is not taken. Select an account with `Stripe-Account`."),
    code(
        "axiru_unknown_parameter",
        400,
        "the parameter is not one of this route. Leave it out, or check its spelling and case.",
    ),
    code("axiru_value", 400, "the value is not one that this parameter takes."),
    code(
        "axiru_version",
        400,
        "the version of Stripe's API is not one that Axiru speaks. Send a version of the releases basil to endive, or leave the header out.",
    ),
];

impl Refused {
    /// A refusal for the reason `word`, at the parameter or header `param`.
    pub(super) fn new(word: &str, param: Option<&str>, family: Option<Family>) -> Self {
        // INVARIANT: every word used is in the table; a test reads the sources for it.
        let known = CODES.iter().find(|code| code.word == word);
        let code = known.copied().unwrap_or(code("axiru_refused", 400, "the call is not taken."));
        let param = param.filter(|param| is_plain(param)).map(str::to_owned);
        let message = match &param {
            Some(param) => format!("`{param}`: {}", code.says),
            None => {
                let mut says = code.says.chars();
                says.next().map_or_else(String::new, |first| first.to_uppercase().chain(says).collect())
            }
        };
        Self { code: code.word, param, message, status: code.status, family }
    }

    /// A refusal at a parameter; its family is told by the route.
    pub(super) fn at(word: &str, param: &str) -> Self {
        Self::new(word, Some(param), None)
    }

    /// The same refusal of a write of `family`. What forges Axiru's own marks is refused always.
    pub(super) fn of(mut self, family: Option<Family>) -> Self {
        self.family = family.filter(|_| self.code != "axiru_metadata_reserved");
        self
    }
}

/// Whether a name may be repeated: short, of letters, `_`, `-`, `.` and brackets. Digits could be a card or a token in the wrong place.
fn is_plain(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b'[' | b']'))
}
