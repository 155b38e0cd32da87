//! The second door: a restricted key that an operator hands over. No app, no browser; the caller's AWS identity answers for it.

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::permissions::Variant;
use axiru_stripe::rest::Profile;
use axiru_stripe::rest::probe::Granted;
use axiru_stripe::restricted::RestrictedKey;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::refusal::AdminError;
use crate::connect::activation::{Terms, told};
use crate::connect::admission::{Admission, KeyTerms};
use crate::ledger::Writes;
use crate::seal::Seal;
use crate::store::Store;
use crate::tokens::sealed_key;

/// A restricted key, whose it is and what it may do, as Stripe has told.
pub struct KeyFound<'a> {
    /// The key.
    pub key: &'a RestrictedKey,
    /// Whose it is.
    pub profile: &'a Profile,
    /// What it may do.
    pub granted: &'a Granted,
}

impl KeyFound<'_> {
    /// The scope that it opens.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::new(self.key.mode(), self.profile.account.clone())
    }

    /// Which variant of the app's manifest the key is like: one that may write anything may be used for enforcing, as far as it goes.
    #[must_use]
    pub fn variant(&self) -> Variant {
        let writes = self.granted.granted.iter().any(|name| name.ends_with("_write"));
        if writes { Variant::Enforcing } else { Variant::ReadOnly }
    }
}

impl Store {
    /// Connects the account with the key, or replaces what it is connected with: its logs, lanes and plans stay.
    ///
    /// # Errors
    /// [`AdminError`]; with a retry it may have happened, and asking again with the same change id finds out.
    pub async fn connect_with_key(
        &self,
        seal: &Seal,
        act: &Act,
        found: &KeyFound<'_>,
        terms: &Terms<'_>,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let profile = found.profile;
        let refused = |_| AdminError::form("account_unusable", "Stripe gives the account a currency that is none");
        let at = now();
        let admission = Admission {
            scope: act.scope.clone(),
            display_name: profile.display_name.clone(),
            country: profile.country.clone(),
            currency: profile.default_currency.parse().map_err(refused)?,
            attempt: act.change.as_str().replacen("chg_", "att_", 1),
            sealed: sealed_key(seal, &act.scope, found.key, at).await?,
            sealed_at: Some(at),
            key: Some(KeyTerms { granted: found.granted.granted.iter().map(|name| (*name).to_owned()).collect() }),
        };
        let answer = self
            .first_act(act, now, || async {
                let writes: Writes = self.connecting(&admission, terms, act.operator.id(), now()).await?;
                let reconnected = writes.drafts.first().and_then(|draft| draft.fields.get("reconnected")).cloned();
                Ok(Effect::Ended { writes, answer: json!({"connected": true, "reconnected": reconnected}) })
            })
            .await?;
        told(&admission);
        Ok(answer)
    }
}
