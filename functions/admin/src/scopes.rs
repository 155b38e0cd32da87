//! How scopes stand: `/admin/status`, and of one scope `status`, `limits`, `review`, `disconnect`.

use axiru_aws::admin::ChangeId;
use axiru_domain::{AccountId, Subject};
use axiru_runtime::body::{parsed, read, refuse};
use serde::Deserialize;
use serde_json::json;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reviewed {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    connected: AccountId,
    under_review: bool,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnected {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    why: String,
}

/// Ends the connection.
pub(crate) async fn disconnect(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Disconnected = read(asked.body)?;
    app.store.disconnect(&asked.act(wanted.change), &wanted.why, app.now).await.map_err(problem)
}

/// Every scope.
pub(crate) async fn all(app: &App) -> Answer {
    let scopes = app.store.scopes().await.map_err(problem)?;
    Ok(json!({"deployment": app.deployment, "scopes": scopes}))
}

/// One scope.
pub(crate) async fn status(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    app.store.status(&asked.scope, app.mail).await.map_err(problem)
}

/// What is left in each limit.
pub(crate) async fn limits(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&["subject"])?;
    let subject = |text: &str| text.parse::<Subject>().map_err(|error| refuse(error.to_string()));
    let more = asked.parameters("subject").map(subject).collect::<Result<Vec<_>, _>>()?;
    let limits = app.store.limits(&asked.scope, &more, app.now).await.map_err(problem)?;
    Ok(json!({"scope": asked.scope.to_string(), "limits": limits}))
}

/// Puts a connected account under review, or takes it off.
pub(crate) async fn review(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Reviewed = read(asked.body)?;
    let act = asked.act(wanted.change);
    app.store.review_account(&act, &wanted.connected, wanted.under_review, &wanted.why, app.now).await.map_err(problem)
}
