//! `POST /admin/{mode}/{account}/switch`: stops the scope or an actor in it, or starts them again.

use axiru_aws::admin::ChangeId;
use axiru_domain::Actor;
use serde::Deserialize;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::{Asked, parsed, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turned {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    /// Only this one; everything in the scope otherwise.
    actor: Option<Actor>,
    stopped: bool,
    why: String,
}

pub(crate) async fn turn(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Turned = read(asked.body)?;
    let act = asked.act(wanted.change);
    app.store.turn_switch(&act, wanted.actor.as_ref(), wanted.stopped, &wanted.why, app.now).await.map_err(problem)
}
