//! Routes: first who, then where, then what.

use axiru_aws::connect::operator::Operator;
use axiru_domain::Scope;
use axiru_runtime::caller::verified_arn;
use axiru_runtime::problem::Problem;
use http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt as _, Response};

use crate::answer::{Answer, ok};
use crate::app::App;
use crate::asked::Asked;
use crate::{approvals, groups, keys, persons, plans, reconcile, scopes, setup_links, switches};

/// Answers one request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    // Before anything else, so that a stranger learns not even which routes there are.
    let caller = verified_arn(&request).and_then(|arn| Operator::new(&app.deployment, arn).ok());
    let Some(operator) = caller else {
        tracing::warn!("a request came without a verified caller");
        return Problem::new(StatusCode::FORBIDDEN, "no_verified_caller", "sign the request with an AWS identity")
            .response();
    };
    // The path as it was signed and authorised: the parsed address would have walked up every `..`, out of what the caller may call.
    match (request.raw_http_path(), request.method()) {
        ("/admin/setup-links", &Method::POST) => setup_links::mint(app, &operator, request.body().as_ref()).await,
        ("/admin/setup-links", _) => {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "post_only", "set-up links are made by POST").response()
        }
        ("/admin/status", &Method::GET) => told(scopes::all(app).await),
        (path, method) => told(in_scope(app, &operator, method, path, &request).await),
    }
}

fn told(answer: Answer) -> Response<Body> {
    answer.map_or_else(|problem| problem.response(), |value| ok(&value))
}

/// The routes below `/admin/{mode}/{account}/`.
async fn in_scope(app: &App, operator: &Operator, method: &Method, path: &str, request: &Request) -> Answer {
    let nowhere = || Problem::new(StatusCode::NOT_FOUND, "no_such_route", "there is no such route");
    let parts: Vec<&str> = path.split('/').collect();
    let ["", "admin", mode, account, route @ ..] = parts.as_slice() else {
        return Err(nowhere());
    };
    let scope: Scope = format!("{mode}/{account}").parse().map_err(|_| nowhere())?;
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let asked = Asked { operator, scope, path, body: request.body().as_ref(), query: query.into_owned().collect() };
    let writes = match *method {
        Method::GET => false,
        Method::POST => true,
        _ => return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "get_or_post", "routes take GET or POST")),
    };
    if writes {
        asked.only(&[])?;
    }
    match (writes, route) {
        (false, ["status"]) => scopes::status(app, &asked).await,
        (false, ["limits"]) => scopes::limits(app, &asked).await,
        (false, ["approvals"]) => approvals::list(app, &asked).await,
        (false, ["approvals", id]) => approvals::show(app, &asked, id).await,
        (true, ["approvals", id, "cancel"]) => approvals::cancel(app, &asked, id).await,
        (true, ["links", "revoke"]) => approvals::revoke_links(app, &asked).await,
        (true, ["switch"]) => switches::turn(app, &asked).await,
        (true, ["disconnect"]) => scopes::disconnect(app, &asked).await,
        (true, ["review"]) => scopes::review(app, &asked).await,
        (false, ["persons"]) => persons::list(app, &asked).await,
        (true, ["persons"]) => persons::add(app, &asked).await,
        (true, ["persons", person, "remove"]) => persons::remove(app, &asked, person).await,
        (true, ["persons", person, "aliases"]) => persons::change_alias(app, &asked, person).await,
        (false, ["groups"]) => groups::list(app, &asked).await,
        (true, ["groups", group]) => groups::set(app, &asked, group).await,
        (true, ["groups", group, "members"]) => groups::change_member(app, &asked, group).await,
        (false, ["keys"]) => keys::list(app, &asked).await,
        (true, ["keys"]) => keys::create(app, &asked).await,
        (true, ["keys", key, "revoke"]) => keys::revoke(app, &asked, key).await,
        (false, ["plans"]) => plans::list(app, &asked).await,
        (true, ["plans"]) => plans::push(app, &asked).await,
        (false, ["plans", plan]) => plans::show(app, &asked, plan).await,
        (true, ["plans", plan, "mode"]) => plans::switch(app, &asked, plan).await,
        (true, ["plans", plan, "rollback"]) => plans::roll_back(app, &asked, plan).await,
        (true, ["reconcile"]) => reconcile::ask(app, &asked).await,
        (false, ["reconcile", run]) => reconcile::show(app, &asked, run).await,
        _ => Err(nowhere()),
    }
}
