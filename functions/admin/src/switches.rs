//! `POST /admin/{mode}/{account}/switch`: stops everything, the scope or an actor in it, or starts them again.

use axiru_aws::admin::ChangeId;
use axiru_aws::switches::Stopped;
use axiru_domain::Actor;
use axiru_runtime::body::{parsed, read, refuse};
use serde::Deserialize;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turned {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    /// Only this one; everything in the scope otherwise.
    actor: Option<Actor>,
    /// Everything of the deployment in the mode. The account is that in whose log it is told.
    #[serde(default)]
    everything: bool,
    stopped: bool,
    why: String,
}

pub(crate) async fn turn(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Turned = read(asked.body)?;
    let of = match (wanted.everything, wanted.actor) {
        (true, None) => Stopped::Deployment,
        (false, None) => Stopped::Scope,
        (false, Some(actor)) => Stopped::Actor(actor),
        (true, Some(_)) => return Err(refuse("`everything` and `actor` exclude each other")),
    };
    let act = asked.act(wanted.change);
    app.store.turn_switch(&act, &of, wanted.stopped, &wanted.why, app.now).await.map_err(problem)
}
