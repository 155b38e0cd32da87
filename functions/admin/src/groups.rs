//! `/admin/{mode}/{account}/groups`: who approves, how many of them, how long they have.

use axiru_aws::admin::ChangeId;
use axiru_aws::admin::group::{Defaults, Setting};
use axiru_domain::PersonId;
use axiru_runtime::body::{parsed, read};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberChanged {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    person: PersonId,
    added: bool,
}

/// As of RFC 7396: what is left out stays, null clears.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    #[serde(default, deserialize_with = "setting")]
    quorum: Setting,
    #[serde(default, deserialize_with = "setting")]
    expires_secs: Setting,
}

fn setting<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Setting, D::Error> {
    Ok(Option::<u32>::deserialize(deserializer)?.map_or(Setting::Clear, Setting::To))
}

pub(crate) async fn list(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    let groups = app.store.approvers(&asked.scope).await.map_err(problem)?;
    Ok(json!({"scope": asked.scope.to_string(), "groups": groups}))
}

pub(crate) async fn set(app: &App, asked: &Asked<'_>, group: &str) -> Answer {
    let wanted: Set = read(asked.body)?;
    let defaults = Defaults { quorum: wanted.quorum, expires_secs: wanted.expires_secs };
    app.store.set_group(&asked.act(wanted.change), group, defaults, app.now).await.map_err(problem)
}

pub(crate) async fn change_member(app: &App, asked: &Asked<'_>, group: &str) -> Answer {
    let wanted: MemberChanged = read(asked.body)?;
    let act = asked.act(wanted.change);
    app.store.change_member(&act, group, &wanted.person, wanted.added, app.now).await.map_err(problem)
}
