//! The tricks, one group each, tried on one route.

use http::Method;

use super::super::MAX_BODY_BYTES;
use super::super::headers::OVERRIDES;
use super::super::path::place;
use super::super::table::{Param, Route};
use super::{Attempt, EXPANSIONS, FOREIGN_ACCOUNT, example, example_path, example_write};

/// What is wrong as an amount, as it stands in a form.
const AMOUNTS: [&str; 19] = [
    "-1",
    "0",
    "00",
    "05",
    "1.0",
    "1.",
    ".5",
    "1e3",
    "1E3",
    "%2B5",
    "+5",
    "5+",
    "5%0A",
    "0x10",
    "1_000",
    "1%2C000",
    "9007199254740992",
    "99999999999999999999999",
    "%EF%BC%91",
];

/// Collects attempts on one route.
pub(super) struct Attack<'a> {
    pub(super) route: &'a Route,
    pub(super) all: &'a mut Vec<Attempt>,
}

impl Attack<'_> {
    pub(super) fn attempt(&mut self, trick: &str, code: &'static str, spoil: impl FnOnce(&mut Attempt)) {
        let mut attempt = Attempt { code, ..example_write(self.route) };
        attempt.name = format!("{}: {trick}", self.route.name);
        spoil(&mut attempt);
        self.all.push(attempt);
    }

    /// Another pair behind the well-formed ones.
    pub(super) fn pair(&mut self, pair: &str, code: &'static str) {
        self.attempt(&format!("parameter {pair}"), code, |attempt| {
            let joint = if attempt.body.is_empty() { "" } else { "&" };
            attempt.body.extend(format!("{joint}{pair}").bytes());
        });
    }

    fn header(&mut self, name: &str, value: &str, code: &'static str) {
        self.attempt(&format!("header {name}: {value}"), code, |attempt| {
            attempt.headers.push((name.to_owned(), value.to_owned()));
        });
    }

    fn content_type(&mut self, value: &str) {
        self.attempt(&format!("content type {value}"), "axiru_content_type", |attempt| {
            attempt.headers = vec![("content-type".to_owned(), value.to_owned())];
        });
    }

    fn path(&mut self, path: String, code: &'static str) {
        self.attempt(&format!("path {path}"), code, |attempt| attempt.path = path);
    }

    pub(super) fn queries(&mut self) {
        for query in ["amount=1", "expand[]=destination", "metadata[a]=b", "a", "amount=500&amount=1", "%61mount=1"] {
            self.attempt(&format!("query {query}"), "axiru_query_on_write", |attempt| attempt.query = query.to_owned());
        }
    }

    pub(super) fn names(&mut self) {
        for param in self.route.params {
            let pair = example(self.route, param);
            let (name, value) = pair.split_once('=').unwrap_or_default();
            if param.name != "payment_intent" {
                self.pair(&pair, "axiru_duplicate_parameter");
                self.pair(
                    &format!("%{:02x}{}={value}", name.bytes().next().unwrap_or(0), name.get(1..).unwrap_or_default()),
                    "axiru_duplicate_parameter",
                );
            }
            let own = param.name;
            for other in
                [own.to_uppercase(), format!("+{own}"), format!("{own}+"), format!("{own}.value"), format!("{own}%0A")]
            {
                self.pair(&format!("{other}={value}"), "axiru_unknown_parameter");
            }
            for other in
                [format!("[{own}]"), format!("{own}[a][b]"), format!("{own}["), format!("{own}]"), format!("{own}[a]b")]
            {
                self.pair(&format!("{other}={value}"), "axiru_nested_parameter");
            }
            if param.form.is_nested() {
                self.pair(&format!("{own}={value}"), "axiru_nested_parameter");
                self.pair(&format!("{own}="), "axiru_nested_parameter");
            } else {
                for inside in ["", "0", "amount"] {
                    self.pair(&format!("{own}[{inside}]={value}"), "axiru_nested_parameter");
                }
                self.empty(param);
            }
        }
        for name in
            ["on_behalf_of", "application_fee", "idempotency_key", "stripe_account", "_method", "api_key", "Expand[]"]
        {
            self.pair(&format!("{name}=1"), "axiru_unknown_parameter");
        }
        for name in self.route.not_taken {
            self.pair(&format!("{name}=customer_balance"), "axiru_parameter_not_taken");
        }
    }

    /// The parameter alone, and empty.
    fn empty(&mut self, param: &Param) {
        self.attempt(&format!("empty {}", param.name), "axiru_empty_parameter", |attempt| {
            attempt.body = format!("{}=", param.name).into_bytes();
        });
    }

    pub(super) fn encodings(&mut self) {
        for bad in [
            "a=%zz",
            "a=%",
            "a=%4",
            "a=%C0%AF",
            "a=%ff",
            "a=%00",
            "a=1;amount=1",
            "",
            "=1",
            "a",
            "a=b=c",
            "%00=1",
            "a=%u0041",
        ] {
            self.pair(&format!("x=1&{bad}"), "axiru_encoding");
        }
        if self.route.takes_metadata() {
            // Alone wrong in that some readers separate here.
            self.pair("metadata[a]=1;b", "axiru_encoding");
            self.pair("metadata[a]=1%00", "axiru_encoding");
            self.pair("metadata[a]=%c3%28", "axiru_encoding");
        }
        self.attempt("JSON in a form", "axiru_encoding", |attempt| attempt.body = br#"{"amount":1}"#.to_vec());
        self.attempt("bytes that are no text", "axiru_encoding", |attempt| attempt.body.extend(b"&x=\xff"));
        self.attempt("a body that is too large", "axiru_body_too_large", |attempt| {
            attempt.body = vec![b'a'; MAX_BODY_BYTES + 1];
        });
    }

    pub(super) fn amounts(&mut self) {
        let about = if self.route.param("amount").is_some() { "axiru_amount" } else { "axiru_unknown_parameter" };
        for amount in AMOUNTS {
            self.attempt(&format!("amount {amount}"), about, |attempt| {
                let body = String::from_utf8_lossy(&attempt.body).replace("amount=500&", "").replace("amount=500", "");
                let joint = if body.is_empty() { "" } else { "&" };
                attempt.body = format!("amount={amount}{joint}{body}").into_bytes();
            });
        }
    }

    pub(super) fn metadata(&mut self) {
        let takes = self.route.takes_metadata();
        let or_unknown = |code| if takes { code } else { "axiru_unknown_parameter" };
        for key in [
            "axiru_request",
            "axiru_receipt",
            "AXIRU_request",
            "Axiru_x",
            "%61xiru_request",
            "+axiru_request",
            "axiru_",
        ] {
            self.pair(&format!("metadata[{key}]=dec_1"), or_unknown("axiru_metadata_reserved"));
        }
        for key in ["", "+a", "a+", &"k".repeat(41)] {
            self.pair(&format!("metadata[{key}]=1"), or_unknown("axiru_metadata"));
        }
        self.pair(&format!("metadata[long]={}", "v".repeat(501)), or_unknown("axiru_metadata"));
        let many: Vec<_> = (0..49).map(|i| format!("metadata[k{i}]=1")).collect();
        self.pair(&many.join("&"), or_unknown("axiru_metadata"));
        self.pair("metadata[a][axiru_request]=1", "axiru_nested_parameter");
        self.pair("metadata[axiru_request=1", "axiru_nested_parameter");
    }

    pub(super) fn expansions(&mut self) {
        for expansion in EXPANSIONS {
            self.pair(&format!("expand[]={expansion}"), "axiru_expand");
            self.pair(&format!("expand[0]={expansion}"), "axiru_expand");
        }
        for name in ["expand", "expand[1]", "expand[00]", "expand[a]", "expand[][]", "expand[0][0]"] {
            self.pair(&format!("{name}=balance_transaction"), "axiru_nested_parameter");
        }
        if let Some(known) = self.route.expand.first() {
            self.pair(&format!("expand[]={known}&expand[]={known}"), "axiru_duplicate_parameter");
            self.pair(&format!("expand[]={known}&expand[1]={known}"), "axiru_nested_parameter");
        }
    }

    pub(super) fn paths(&mut self) {
        let own = example_path(self.route);
        let tail = own.strip_prefix("/v1").unwrap_or_default().to_owned();
        for path in [
            format!("{own}/"),
            format!("/{own}"),
            format!("/v1/{tail}"),
            format!("/v1/.{tail}"),
            format!("/v1/customers/..{tail}"),
            format!("/v1/%2e%2e{tail}"),
            format!("/v1%2f{}", tail.get(1..).unwrap_or_default()),
            format!("/V1{tail}"),
            own.replace("/v1/re", "/v1/Re")
                .replace("/v1/ch", "/v1/Ch")
                .replace("/v1/pa", "/v1/Pa")
                .replace("/v1/tr", "/v1/Tr")
                .replace("/v1/di", "/v1/Di"),
            format!("{own}.json"),
            format!("{own};a=b"),
            format!("{own}%3Famount=1"),
            format!("{own}%00"),
            format!("{own}%20"),
            format!("{own} "),
            own.get(1..).unwrap_or_default().to_owned(),
            format!("https://api.stripe.com{own}"),
            format!("{own}\\"),
            format!("{own}#a"),
            own.replace("_1Corpus", "_1Corpus%2Fclose").replace("/v1/", "/%761/"),
        ] {
            self.path(path, "axiru_path");
        }
        self.path(format!("/v2{tail}"), "axiru_api_v2");
        self.path(tail, "axiru_route_unknown");
        self.path(format!("{own}/all"), "axiru_route_unknown");
        if self.route.path.contains('{') {
            for (wrong, code) in [
                ("_", "axiru_route_unknown"),
                ("_1_2", "axiru_route_unknown"),
                ("_1-2", "axiru_path"),
                ("_1:2", "axiru_path"),
                ("_%31", "axiru_path"),
                ("_é", "axiru_path"),
            ] {
                self.path(own.replace("_1Corpus", wrong), code);
            }
            let other: Vec<_> = self
                .route
                .path
                .split('/')
                .map(|own| place(own).map_or_else(|| own.to_owned(), |_| "cus_1".to_owned()))
                .collect();
            self.path(other.join("/"), "axiru_path_id");
            for about in ["charge", "payment_intent", "dispute", "transfer", "id"] {
                self.pair(&format!("{about}=ch_2"), "axiru_conflict");
            }
        }
    }

    pub(super) fn headers(&mut self) {
        self.header("Stripe-Context", "acct_1", "axiru_stripe_context");
        for name in OVERRIDES {
            self.header(name, "GET", "axiru_method_override");
        }
        self.header("Content-Encoding", "gzip", "axiru_content_encoding");
        for name in ["Idempotency-Key", "Stripe-Account", "Stripe-Version"] {
            self.attempt(&format!("two of {name}"), "axiru_header_duplicate", |attempt| {
                attempt.headers.push((name.to_owned(), "acct_1".to_owned()));
                attempt.headers.push((name.to_lowercase(), "acct_2".to_owned()));
            });
        }
        self.header("content-type", "application/json", "axiru_header_duplicate");
        for version in [
            "2020-08-27",
            "2024-06-20",
            "2025-02-24.acacia",
            "2025-04-30.preview",
            "2099-01-01.dahlia",
            "latest",
            "2025-04-30.basil,2020-08-27",
            "",
        ] {
            self.header("Stripe-Version", version, "axiru_version");
        }
        for account in [FOREIGN_ACCOUNT, "acct_", "cus_1", "acct_1,acct_2", "acct_1/../acct_2", ""] {
            self.header("Stripe-Account", account, "axiru_account");
        }
        for key in ["", &"k".repeat(256)] {
            self.header("Idempotency-Key", key, "axiru_idempotency_key");
        }
        for kind in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded, application/json",
            "",
        ] {
            self.content_type(kind);
        }
        for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            self.attempt(method.as_str(), "axiru_method", |attempt| attempt.method = method.clone());
        }
    }
}
