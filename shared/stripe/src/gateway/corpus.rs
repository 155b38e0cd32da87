//! Attempts to move money past the table: made from it, so that a new route is attacked the day it is added.
//!
//! Each is refused with exactly the code it names, and nothing is sent for it.

mod attack;

use attack::Attack;
use http::Method;

use super::path::{place, prefixes};
use super::routes::ROUTES;
use super::table::{Does, Form, Param, Route};

/// One attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What is tried, on which route.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The path, as sent.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// The headers but `Authorization`, which who sends it adds.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The code with which it is refused.
    pub code: &'static str,
}

/// An account that no key may act on. The parser takes it; whoever knows the key's accounts refuses it.
pub const FOREIGN_ACCOUNT: &str = "acct_1ForeignAccount";

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What may never be expanded, nor what leads there.
const EXPANSIONS: [&str; 14] = [
    "destination",
    "data.destination",
    "destination.external_accounts",
    "external_accounts",
    "payment_method",
    "payment_method_details",
    "charge",
    "charge.payment_method_details",
    "payment_intent",
    "payment_intent.payment_method",
    "balance_transaction.source",
    "Destination",
    "original_payout.destination",
    "*",
];

/// An id that fits the place.
fn id(prefixes: &[&str]) -> String {
    format!("{}_1Corpus", prefixes.first().copied().unwrap_or("x"))
}

/// The path of a route with ids that fit.
#[must_use]
pub fn example_path(route: &Route) -> String {
    let segments =
        route.path.split('/').map(|own| place(own).map_or_else(|| own.to_owned(), |place| id(prefixes(place))));
    segments.collect::<Vec<_>>().join("/")
}

fn example(route: &Route, param: &Param) -> String {
    let (name, value) = match (param.form, route.does) {
        (Form::Object(role), Does::Move(kind)) => (param.name.to_owned(), id(role.prefixes(kind))),
        (Form::Id(prefixes), _) => (param.name.to_owned(), id(prefixes)),
        (Form::Amount, _) => (param.name.to_owned(), "500".to_owned()),
        (Form::Currency, _) => (param.name.to_owned(), "usd".to_owned()),
        (Form::Word(words), _) => (param.name.to_owned(), words.first().copied().unwrap_or_default().to_owned()),
        (Form::Bool, _) => (param.name.to_owned(), "true".to_owned()),
        (Form::Text(_) | Form::Object(_), _) => (param.name.to_owned(), "text".to_owned()),
        (Form::Email, _) => (param.name.to_owned(), "jo@shop.example".to_owned()),
        (Form::Metadata | Form::MetadataUpdate, _) => ("metadata[order]".to_owned(), "6735".to_owned()),
        (Form::Evidence(names), _) => {
            (format!("evidence[{}]", names.first().copied().unwrap_or_default()), "text".to_owned())
        }
        (Form::Limit | Form::Moments, _) => (param.name.to_owned(), "10".to_owned()),
    };
    format!("{name}={value}")
}

/// Parameters of a well-formed call: every one of the route, but one parent of a refund.
#[must_use]
pub fn example_form(route: &Route) -> String {
    let both = |param: &&Param| !(matches!(route.does, Does::Move(_)) && param.name == "payment_intent");
    route.params.iter().filter(both).map(|param| example(route, param)).collect::<Vec<_>>().join("&")
}

/// A well-formed call of a write route, to be spoilt.
#[must_use]
pub fn example_write(route: &Route) -> Attempt {
    Attempt {
        name: route.name.to_owned(),
        method: Method::POST,
        path: example_path(route),
        query: String::new(),
        headers: vec![(FORM.0.to_owned(), FORM.1.to_owned())],
        body: example_form(route).into_bytes(),
        code: "",
    }
}

/// Every attempt.
#[must_use]
pub fn corpus() -> Vec<Attempt> {
    let mut all = Vec::new();
    for route in ROUTES {
        match route.does {
            Does::Move(_) | Does::DisputeUpdate | Does::Pass(_) => {
                let mut attack = Attack { route, all: &mut all };
                attack.queries();
                attack.names();
                attack.encodings();
                attack.amounts();
                attack.metadata();
                attack.expansions();
                attack.paths();
                attack.headers();
                if route.name == "refund_create" {
                    attack.pair("payment_intent=pi_1", "axiru_conflict");
                }
            }
            Does::Read => reads(route, &mut all),
            Does::SideDoor(_) => {
                Attack { route, all: &mut all }.attempt("side door", "axiru_side_door", |_| {});
            }
        }
    }
    for path in ["/v1/files", "/v1/file_links"] {
        let headers = vec![(FORM.0.to_owned(), FORM.1.to_owned())];
        let (name, query) = (format!("files {path}"), String::new());
        all.push(Attempt {
            name,
            method: Method::POST,
            path: path.to_owned(),
            query,
            headers,
            body: Vec::new(),
            code: "axiru_files",
        });
    }
    all
}

/// Attempts to read what is not shown.
fn reads(route: &Route, all: &mut Vec<Attempt>) {
    let expansions = EXPANSIONS.iter().map(|expansion| (format!("expand[]={expansion}"), "axiru_expand"));
    let others = [
        ("fields=destination", "axiru_unknown_parameter"),
        ("expand=destination", "axiru_nested_parameter"),
        ("expand[]=%zz", "axiru_encoding"),
        ("&", "axiru_encoding"),
    ];
    let paged = route.param("limit").is_some();
    let limits = ["limit=0", "limit=101", "limit=-1", "limit=1e2"].map(|query| (query.to_owned(), "axiru_value"));
    let limits = limits.into_iter().filter(|_| paged);
    let others = others.into_iter().map(|(query, code)| (query.to_owned(), code));
    for (query, code) in expansions.chain(others).chain(limits) {
        let (name, path) = (format!("{}: query {query}", route.name), example_path(route));
        all.push(Attempt { name, method: Method::GET, path, query, headers: Vec::new(), body: Vec::new(), code });
    }
    let (name, path, body) = (format!("{}: body", route.name), example_path(route), b"limit=1".to_vec());
    all.push(Attempt {
        name,
        method: Method::GET,
        path,
        query: String::new(),
        headers: Vec::new(),
        body,
        code: "axiru_body_on_read",
    });
}
