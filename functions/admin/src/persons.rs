//! `/admin/{mode}/{account}/persons`: the humans of a scope.

use axiru_aws::admin::ChangeId;
use axiru_aws::admin::alias::{Alias, Email, Principal};
use axiru_aws::admin::person::NewPerson;
use axiru_domain::PersonId;
use axiru_runtime::body::{parsed, read, refuse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    person: PersonId,
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    principals: Vec<String>,
    /// The caller's own AWS identity becomes one of the person's.
    #[serde(default)]
    me: bool,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasChanged {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    added: bool,
    email: Option<String>,
    principal: Option<String>,
}

fn email(text: &str) -> Result<Alias, axiru_runtime::problem::Problem> {
    text.parse::<Email>().map(Alias::Email).map_err(|error| refuse(error.to_string()))
}

fn principal(text: &str) -> Result<Alias, axiru_runtime::problem::Problem> {
    text.parse::<Principal>().map(Alias::Principal).map_err(|error| refuse(error.to_string()))
}

pub(crate) fn id(text: &str) -> Result<PersonId, axiru_runtime::problem::Problem> {
    text.parse().map_err(|error: axiru_domain::PersonIdError| refuse(error.to_string()))
}

pub(crate) async fn list(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    let persons = app.store.persons(&asked.scope).await.map_err(problem)?;
    let groups = app.store.groups(&asked.scope).await.map_err(|error| problem(error.into()))?;
    let persons: Vec<Value> = persons.iter().map(|person| person.shown(&groups)).collect();
    Ok(json!({"scope": asked.scope.to_string(), "persons": persons}))
}

pub(crate) async fn add(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Added = read(asked.body)?;
    let own = wanted.me.then(|| asked.operator.arn());
    let emails = wanted.emails.iter().map(|text| email(text));
    let principals = wanted.principals.iter().map(String::as_str).chain(own).map(principal);
    let aliases = emails.chain(principals).collect::<Result<_, _>>()?;
    let person = NewPerson { id: wanted.person, aliases, groups: wanted.groups.into_iter().collect() };
    app.store.add_person(&asked.act(wanted.change), &app.deployment, &person, app.now).await.map_err(problem)
}

pub(crate) async fn remove(app: &App, asked: &Asked<'_>, person: &str) -> Answer {
    let wanted: Removed = read(asked.body)?;
    app.store.remove_person(&asked.act(wanted.change), &id(person)?, app.now).await.map_err(problem)
}

pub(crate) async fn change_alias(app: &App, asked: &Asked<'_>, person: &str) -> Answer {
    let wanted: AliasChanged = read(asked.body)?;
    let alias = match (&wanted.email, &wanted.principal) {
        (Some(text), None) => email(text)?,
        (None, Some(text)) => principal(text)?,
        _ => return Err(refuse("give either `email` or `principal`")),
    };
    let act = asked.act(wanted.change);
    app.store.change_alias(&act, &app.deployment, &id(person)?, &alias, wanted.added, app.now).await.map_err(problem)
}
