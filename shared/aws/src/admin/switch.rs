//! Stopping a scope or one of its actors, and starting them again. The rows are [`crate::switches`]'.

use axiru_domain::{Actor, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::store::Store;
use crate::switches::Stopped;

impl Store {
    /// Stops the scope, or one actor in it, or starts them again.
    ///
    /// # Errors
    /// Refused without a reason, and where no key of the scope was ever the actor's: a slip of the pen would stop nobody.
    pub async fn turn_switch(
        &self,
        act: &Act,
        actor: Option<&Actor>,
        stopped: bool,
        why: &str,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let of = actor.map_or(Stopped::Scope, |actor| Stopped::Actor(actor.clone()));
            let switch = self.switch(scope, of).await?;
            let answer = |changed: bool| json!({"changed": changed, "of": switch.of.to_string(), "stopped": stopped});
            if switch.stopped == stopped {
                return Ok(Effect::Nothing(answer(false)));
            }
            if let Some(actor) = actor.filter(|_| stopped) {
                let known = self.keys(scope).await?.iter().any(|key| key.actor == *actor);
                if !known {
                    let detail = format!(
                        "no key of {scope} is or was {actor}'s; `axiru key list --scope {scope}` shows the actors, and without `--actor` \
                         everything in the scope stops"
                    );
                    return Err(AdminError::missing("no_such_actor", detail));
                }
            }
            let fields = json!({"of": switch.of.to_string(), "stopped": stopped, "why_sha256": why.sha256()});
            let rows = vec![switch.turned(self, scope, stopped, now())?, why.row(self, scope, &act.change)?];
            Ok(Effect::Change { ty: EntryType::SwitchChanged, fields, rows, answer: answer(true) })
        })
        .await
    }
}
