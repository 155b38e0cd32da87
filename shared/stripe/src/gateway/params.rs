//! The parameters of a call, checked against the route's row.

use std::collections::BTreeMap;

use axiru_domain::{Currency, MAX_SAFE_INTEGER, ObjectRole, StripeId};
use http::Method;
use url::form_urlencoded::Serializer;

use super::form::Key;
use super::outgoing::{Outgoing, Stamp};
use super::path;
use super::refused::Refused;
use super::table::{Does, Form, Param, Route};

/// Most keys of metadata on one object at Stripe is 50; two are Axiru's.
const MAX_METADATA: usize = 48;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_VALUE: usize = 500;
/// Longest text of one piece of evidence (Stripe docs, "Dispute evidence").
const MAX_EVIDENCE: usize = 20_000;
/// Longest address of mail (RFC 5321, section 4.5.3.1, as commonly counted).
const MAX_EMAIL: usize = 254;

/// What a parameter says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One value.
    Plain(String),
    /// Values by the name in brackets.
    Nested(BTreeMap<String, String>),
}

/// A route, the ids in its path, and its parameters. Nothing in it is unchecked.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) ids: Vec<StripeId>,
    values: BTreeMap<&'static str, Value>,
    pub(super) expand: Vec<&'static str>,
}

impl Params {
    /// Checks decoded parameters.
    pub(super) fn read(route: &'static Route, ids: Vec<StripeId>, pairs: &[(Key, String)]) -> Result<Self, Refused> {
        let mut own = Self { ids, values: BTreeMap::new(), expand: Vec::new() };
        let mut indexed = None;
        for (key, value) in pairs {
            if key.name == "expand" {
                own.expand(route, key, value, &mut indexed)?;
            } else {
                own.take(route, key, value)?;
            }
        }
        if let Some(missing) = route.params.iter().find(|param| param.required && !own.values.contains_key(param.name))
        {
            return Err(Refused::at("axiru_parameter_missing", missing.name));
        }
        Ok(own)
    }

    fn expand(
        &mut self,
        route: &'static Route,
        key: &Key,
        value: &str,
        indexed: &mut Option<bool>,
    ) -> Result<(), Refused> {
        let inside = key.inside.as_deref().ok_or_else(|| Refused::at("axiru_nested_parameter", "expand"))?;
        // Lists are written in one way, and in order: what repeats or leaves out a place could be read in two ways.
        let by_index = !inside.is_empty();
        if *indexed.get_or_insert(by_index) != by_index {
            return Err(Refused::at("axiru_nested_parameter", "expand"));
        }
        if by_index && inside != self.expand.len().to_string() {
            return Err(Refused::at("axiru_nested_parameter", "expand"));
        }
        let known = route.expand.iter().find(|known| **known == value);
        let known = known.ok_or_else(|| Refused::at("axiru_expand", "expand"))?;
        if self.expand.contains(known) {
            return Err(Refused::at("axiru_duplicate_parameter", "expand"));
        }
        self.expand.push(known);
        Ok(())
    }

    fn take(&mut self, route: &'static Route, key: &Key, value: &str) -> Result<(), Refused> {
        let param = route.param(&key.name).ok_or_else(|| unknown(route, &key.name))?;
        match (&key.inside, param.form) {
            (None, form) if form.is_nested() => return Err(Refused::at("axiru_nested_parameter", param.name)),
            (None, _) => {
                check(route, param, value)?;
                if self.values.insert(param.name, Value::Plain(value.to_owned())).is_some() {
                    return Err(Refused::at("axiru_duplicate_parameter", param.name));
                }
            }
            (Some(inside), form) => {
                check_inside(param, form, inside, value)?;
                let nested = self.values.entry(param.name).or_insert_with(|| Value::Nested(BTreeMap::new()));
                let Value::Nested(nested) = nested else {
                    return Err(Refused::at("axiru_duplicate_parameter", param.name));
                };
                if nested.insert(inside.clone(), value.to_owned()).is_some() {
                    return Err(Refused::at("axiru_duplicate_parameter", param.name));
                }
                if param.name == "metadata" && nested.len() > MAX_METADATA {
                    return Err(Refused::at("axiru_metadata", param.name));
                }
            }
        }
        Ok(())
    }

    /// The one value of a parameter.
    pub(super) fn plain(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::Plain(text)) => Some(text),
            _ => None,
        }
    }

    /// The values in brackets under a parameter.
    pub(super) fn nested(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        match self.values.get(name) {
            Some(Value::Nested(nested)) => Some(nested),
            _ => None,
        }
    }

    /// Whether nothing was said but what to expand.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.values.insert(name, Value::Plain(value.to_owned()));
    }

    /// Writes into the metadata what Axiru marks its objects with.
    pub(super) fn stamp(&mut self, stamp: &Stamp) {
        let nested = self.values.entry("metadata").or_insert_with(|| Value::Nested(BTreeMap::new()));
        if let Value::Nested(nested) = nested {
            nested.insert("axiru_receipt".to_owned(), stamp.receipt.clone());
            nested.insert("axiru_request".to_owned(), stamp.request.as_str().to_owned());
        }
    }

    /// The parameters written anew, in the order of the route's row.
    pub(super) fn form(&self, route: &Route, with_expand: bool) -> String {
        let mut form = Serializer::new(String::new());
        for param in route.params {
            match self.values.get(param.name) {
                Some(Value::Plain(text)) => {
                    form.append_pair(param.name, text);
                }
                Some(Value::Nested(nested)) => {
                    for (inside, text) in nested {
                        form.append_pair(&format!("{}[{inside}]", param.name), text);
                    }
                }
                None => {}
            }
        }
        if with_expand {
            for (i, expand) in self.expand.iter().enumerate() {
                form.append_pair(&format!("expand[{i}]"), expand);
            }
        }
        form.finish()
    }

    /// The call written anew.
    pub(super) fn outgoing(&self, route: &Route) -> Outgoing {
        Outgoing {
            method: Method::POST,
            path: path::written(route, &self.ids),
            body: self.form(route, true).into_bytes(),
        }
    }

    /// What two calls must share to be one call: the route, the path and every parameter but `expand`.
    pub(super) fn canonical(&self, route: &Route) -> Vec<u8> {
        let (path, form) = (path::written(route, &self.ids), self.form(route, false));
        format!("{} {path}\n{form}", route.verb.as_str()).into_bytes()
    }
}

/// Why a name is not taken on this route.
fn unknown(route: &Route, name: &str) -> Refused {
    let about = |name: &str| matches!(name, "charge" | "payment_intent" | "dispute" | "transfer" | "id");
    if route.path.contains('{') && about(name) {
        return Refused::at("axiru_conflict", name);
    }
    if route.not_taken.contains(&name) {
        return Refused::at("axiru_parameter_not_taken", name);
    }
    Refused::at("axiru_unknown_parameter", name)
}

/// Checks the value of a parameter without brackets.
fn check(route: &Route, param: &Param, value: &str) -> Result<(), Refused> {
    let refused = |word| Err(Refused::at(word, param.name));
    if value.is_empty() {
        return refused("axiru_empty_parameter");
    }
    let (fits, word) = match param.form {
        Form::Object(role) => (is_object(route, role, value), "axiru_id"),
        Form::Id(prefixes) => (value.parse::<StripeId>().is_ok_and(|id| prefixes.contains(&id.prefix())), "axiru_id"),
        Form::Amount => (amount(value).is_some(), "axiru_amount"),
        Form::Currency => (value.parse::<Currency>().is_ok_and(|currency| currency.is_moved()), "axiru_currency"),
        Form::Word(words) => (words.contains(&value), "axiru_value"),
        Form::Bool => (matches!(value, "true" | "false"), "axiru_value"),
        Form::Text(most) => (value.chars().count() <= most && value.trim() != "", "axiru_value"),
        Form::Email => (is_email(value), "axiru_value"),
        Form::Limit => (number(value).is_some_and(|limit| (1..=100).contains(&limit)), "axiru_value"),
        Form::Moments => (is_moment(value), "axiru_value"),
        Form::Metadata | Form::MetadataUpdate | Form::Evidence(_) => (false, "axiru_nested_parameter"),
    };
    if fits { Ok(()) } else { refused(word) }
}

/// Checks a value in brackets.
fn check_inside(param: &Param, form: Form, inside: &str, value: &str) -> Result<(), Refused> {
    let refused = |word| Err(Refused::at(word, param.name));
    match form {
        Form::Metadata | Form::MetadataUpdate => {
            let length = inside.chars().count();
            if inside.trim().to_lowercase().starts_with("axiru_") {
                return refused("axiru_metadata_reserved");
            }
            // Brackets cannot stand here; blanks at the ends a reader may take away.
            if length == 0 || length > MAX_METADATA_KEY || inside.trim() != inside {
                return refused("axiru_metadata");
            }
            if value.is_empty() && form == Form::Metadata {
                return refused("axiru_empty_parameter");
            }
            if value.chars().count() > MAX_METADATA_VALUE { refused("axiru_metadata") } else { Ok(()) }
        }
        Form::Evidence(names) if !names.contains(&inside) => refused("axiru_unknown_parameter"),
        Form::Evidence(_) if value.chars().count() > MAX_EVIDENCE => refused("axiru_value"),
        Form::Evidence(_) => Ok(()),
        Form::Moments if matches!(inside, "gt" | "gte" | "lt" | "lte") => {
            if is_moment(value) {
                Ok(())
            } else {
                refused("axiru_value")
            }
        }
        _ => refused("axiru_nested_parameter"),
    }
}

fn is_object(route: &Route, role: ObjectRole, value: &str) -> bool {
    let Does::Move(kind) = route.does else { return false };
    value.parse::<StripeId>().is_ok_and(|id| role.prefixes(kind).contains(&id.prefix()))
}

/// Digits only, without leading zeros.
fn number(text: &str) -> Option<i64> {
    let digits = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

/// Minor units above zero, within what every JSON reader keeps exactly.
pub(super) fn amount(text: &str) -> Option<i64> {
    number(text).filter(|amount| (1..=MAX_SAFE_INTEGER).contains(amount))
}

/// Seconds since 1970, up to the year 2286.
fn is_moment(text: &str) -> bool {
    text.len() <= 10 && number(text).is_some()
}

fn is_email(text: &str) -> bool {
    text.len() <= MAX_EMAIL
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.len() > 2 && !host.contains('@'))
}
