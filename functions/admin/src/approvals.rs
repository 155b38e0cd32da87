//! `/admin/{mode}/{account}/approvals` and `links/revoke`: what waits for people, ending it, and calling in the links that were sent.

use axiru_aws::admin::ChangeId;
use axiru_aws::admin::links::Links;
use axiru_aws::approval::LinkId;
use axiru_domain::{PersonId, RequestId};
use axiru_runtime::body::{parsed, read, refuse};
use axiru_runtime::problem::Problem;
use serde::Deserialize;
use serde_json::json;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancelled {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    why: String,
}

/// One of `request`, `person`, `link`, or `all`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    request: Option<String>,
    person: Option<PersonId>,
    link: Option<String>,
    #[serde(default)]
    all: bool,
    why: String,
}

fn request(text: &str) -> Result<RequestId, Problem> {
    text.parse().map_err(|_| refuse("not the id of a request: expected `dec_` and 32 lower-case hex digits"))
}

pub(crate) async fn list(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    let (approvals, more) = app.store.approvals(&asked.scope).await.map_err(problem)?;
    Ok(json!({"scope": asked.scope.to_string(), "approvals": approvals, "more": more}))
}

pub(crate) async fn show(app: &App, asked: &Asked<'_>, id: &str) -> Answer {
    asked.only(&[])?;
    app.store.approval(&asked.scope, &request(id)?).await.map_err(problem)
}

pub(crate) async fn cancel(app: &App, asked: &Asked<'_>, id: &str) -> Answer {
    let wanted: Cancelled = read(asked.body)?;
    let act = asked.act(wanted.change);
    app.store.cancel_request(&act, &request(id)?, &wanted.why, app.now).await.map_err(problem)
}

pub(crate) async fn revoke_links(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Revoked = read(asked.body)?;
    let links = match (&wanted.request, wanted.person, &wanted.link, wanted.all) {
        (Some(id), None, None, false) => Links::OfRequest(request(id)?),
        (None, Some(person), None, false) => Links::OfPerson(person),
        (None, None, Some(id), false) => Links::One(id.parse::<LinkId>().map_err(|error| refuse(error.to_string()))?),
        (None, None, None, true) => Links::All,
        _ => return Err(refuse("say which links: one of `request`, `person`, `link`, or `all`: true")),
    };
    let act = asked.act(wanted.change);
    app.store.revoke_links(&act, &links, &wanted.why, app.now).await.map_err(problem)
}
