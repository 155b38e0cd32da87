//! `/admin/{mode}/{account}/reconcile`: asking for a comparison of the ledger with Stripe's lists, and how far it is.

use axiru_aws::admin::ChangeId;
use axiru_aws::reconcile::Task;
use axiru_domain::Period;
use axiru_runtime::body::{parsed, read, refuse};
use axiru_runtime::problem::Problem;
use http::StatusCode;
use serde::Deserialize;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    #[serde(deserialize_with = "parsed")]
    period: Period,
}

/// Asks. First the row, then the message: where the second is lost, the same request again sends it.
pub(crate) async fn ask(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Wanted = read(asked.body)?;
    let act = asked.act(wanted.change);
    let answer = app.store.ask_reconcile(&act, wanted.period, app.now).await.map_err(problem)?;
    let task = Task { scope: act.scope.clone(), period: wanted.period, run: Some(act.change.to_string()) };
    app.tasks.send(&task).await.map_err(|error| {
        tracing::error!(error = %error, "a task could not be queued");
        let detail = "the comparison could not be queued; ask again with the same change id";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    })?;
    Ok(answer)
}

/// Tells how far a run is, and what came of it.
pub(crate) async fn show(app: &App, asked: &Asked<'_>, run: &str) -> Answer {
    asked.only(&[])?;
    let run: ChangeId =
        run.parse().map_err(|_| refuse("not the id of a run: expected `chg_` and 32 lower-case hex digits"))?;
    app.store.shown_reconcile(&asked.scope, &run).await.map_err(problem)
}
