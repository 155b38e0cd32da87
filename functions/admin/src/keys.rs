//! `/admin/{mode}/{account}/keys`: the keys of agents and staff. Only their hashes come here.

use axiru_aws::admin::ChangeId;
use axiru_aws::admin::key::{Holder, NewKey};
use axiru_domain::{Actor, KeyHash, KeyId, PersonId, Timestamp};
use axiru_runtime::body::{parsed, read, refuse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, problem};
use crate::app::App;
use crate::asked::Asked;

/// A key to be made: for a new actor (`actor`, `operator`), for one that has a key (`actor`), or instead of a key (`replaces`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Created {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    key: KeyId,
    #[serde(deserialize_with = "parsed")]
    secret_sha256: KeyHash,
    actor: Option<Actor>,
    operator: Option<PersonId>,
    replaces: Option<KeyId>,
    overlap_secs: Option<i64>,
    valid_until: Timestamp,
    per_minute: u32,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
}

pub(crate) async fn list(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    app.store.administered(&asked.scope).await.map_err(problem)?;
    let keys = app.store.keys(&asked.scope).await.map_err(problem)?;
    let now = (app.now)();
    let keys: Vec<Value> = keys.iter().map(|key| key.shown(now)).collect();
    Ok(json!({"scope": asked.scope.to_string(), "keys": keys}))
}

pub(crate) async fn create(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Created = read(asked.body)?;
    let holder = match (wanted.actor, wanted.operator, wanted.replaces, wanted.overlap_secs) {
        (Some(actor), Some(operator), None, None) => Holder::New(actor, operator),
        (Some(actor), None, None, None) => Holder::Known(actor),
        (None, None, Some(old), Some(overlap)) => Holder::Replaces(old, overlap),
        _ => {
            return Err(refuse(
                "give `actor` and `operator` for a new actor, `actor` alone for one that has a key, or `replaces` with `overlap_secs`",
            ));
        }
    };
    let key = NewKey {
        id: wanted.key,
        hash: wanted.secret_sha256,
        holder,
        valid_until: wanted.valid_until,
        per_minute: wanted.per_minute,
        label: wanted.label,
    };
    app.store.create_key(&asked.act(wanted.change), &key, app.now).await.map_err(problem)
}

pub(crate) async fn revoke(app: &App, asked: &Asked<'_>, key: &str) -> Answer {
    let wanted: Revoked = read(asked.body)?;
    let key = key.parse().map_err(|error: axiru_domain::KeyIdError| refuse(error.to_string()))?;
    app.store.revoke_key(&asked.act(wanted.change), &key, app.now).await.map_err(problem)
}
