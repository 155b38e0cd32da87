//! Installs: one attempt of one browser to connect an account in one mode.
//!
//! ```text
//! issued ──claim──> exchanging ──hold──> pending ──activation──> confirmed
//!    └────refuse (the person said no at Stripe)──> refused
//! ```
//! Every step is one conditional write, so a state is used once, by the browser that it was given to, within its time.
//!
//! Row: pk `<mode>#install#<hash of the state>`, sk `install`; `state`, `browser` (hash), `link` (hash), `attempt`, `created_at`,
//! `valid_until` (epoch seconds, of the current step), `claim`, `expires_at`; while pending also `account`, `display_name`, `country`,
//! `currency`, `tokens` (sealed), `tokens_at` (when they were asked for). The tokens leave the row when it is confirmed, and with the row when nobody confirms.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use axiru_domain::{AccountId, Currency, Mode, Scope, Timestamp};
use axiru_stripe::oauth::Grant;
use axiru_stripe::rest::Profile;

use crate::connect::admission::Admission;
use crate::connect::token::{RandomError, Token, TokenHash, TokenPurpose, random_id};
use crate::error::{AwsError, Retry};
use crate::item::{Item, RowError, b, bytes, key, n, number, parse, s, text};
use crate::seal::Seal;
use crate::store::{Store, StoreError};
use crate::tokens;

/// Time for a person to consent at Stripe, and again to confirm: 10 minutes each.
pub const STEP_SECS: i64 = 600;

/// How long an install's row is kept, so that a late or second visit is told what happened: one day.
const KEPT_SECS: i64 = 86_400;

/// What a browser carries away: the state goes to Stripe and back, the binding stays in a cookie.
pub struct Started {
    /// OAuth's `state`, without its mode.
    pub state: Token,
    /// The cookie's value.
    pub browser: Token,
}

/// An install whose state was claimed: from here on only its claimant goes on.
#[derive(Clone, Debug)]
pub struct Claimed {
    mode: Mode,
    hash: TokenHash,
    claim: String,
}

/// An install that waits for the person's confirmation.
#[derive(Clone, Debug)]
pub struct Pending {
    /// What would be connected.
    pub grant: Admission,
    /// The set-up link it began with.
    pub link: TokenHash,
    pub(crate) hash: TokenHash,
}

/// An install as its browser finds it.
#[derive(Clone, Debug)]
pub enum Install {
    /// It waits for confirmation.
    Pending(Box<Pending>),
    /// It was confirmed: the scope is connected.
    Confirmed(Scope, String),
}

/// Why an install cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No install has this state: forged, or long gone.
    #[error("no install has this state")]
    Unknown,
    /// The state was given to another browser.
    #[error("the state belongs to another browser")]
    OtherBrowser,
    /// The state was used before.
    #[error("the state was used before")]
    Spent,
    /// Its time is over.
    #[error("the time for this step is over")]
    Expired,
    /// What would be stored is not usable.
    #[error("field `{0}` of the account is not usable")]
    Profile(&'static str),
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system has no random bytes.
    #[error("{0}")]
    Random(#[from] RandomError),
}

impl From<AwsError> for InstallError {
    fn from(error: AwsError) -> Self {
        Self::Store(error.into())
    }
}

impl From<RowError> for InstallError {
    fn from(error: RowError) -> Self {
        Self::Store(error.into())
    }
}

impl InstallError {
    /// Whether trying again later can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Store(StoreError::Aws(error)) => error.retry(),
            _ => Retry::Never,
        }
    }
}

const SK: &str = "install";

pub(crate) fn pk(mode: Mode, hash: &TokenHash) -> String {
    format!("{mode}#install#{}", hash.as_str())
}

/// One step of the picture above.
struct Step<'a> {
    from: &'a str,
    to: &'a str,
    /// The claimant, for steps that only they may take.
    claim: Option<&'a str>,
    valid_until: Timestamp,
    set: Vec<(&'static str, aws_sdk_dynamodb::types::AttributeValue)>,
}

impl Store {
    /// Begins an install for a browser that followed `link`.
    ///
    /// # Errors
    /// [`InstallError`].
    pub async fn start_install(&self, mode: Mode, link: &TokenHash, now: Timestamp) -> Result<Started, InstallError> {
        let started = Started { state: Token::random()?, browser: Token::random()? };
        let hash = started.state.hash(TokenPurpose::State);
        // No condition: 256 random bits meet no other row, and an SDK's retry meets its own.
        let put = self
            .client
            .put_item()
            .table_name(&self.state)
            .item("pk", s(pk(mode, &hash)))
            .item("sk", s(SK))
            .item("state", s("issued"))
            .item("browser", s(started.browser.hash(TokenPurpose::Browser).as_str()))
            .item("link", s(link.as_str()))
            .item("attempt", s(random_id("att_")?))
            .item("created_at", s(now.to_string()))
            .item("valid_until", n(now.plus_secs(STEP_SECS).secs()))
            .item("expires_at", n(now.plus_secs(KEPT_SECS).secs()));
        put.send().await.map_err(AwsError::of("starting an install"))?;
        Ok(started)
    }

    /// Claims the state of an install, once, for the browser that brings its cookie. A foreign browser does not use it up.
    ///
    /// # Errors
    /// [`InstallError`] says why not.
    pub async fn claim_install(
        &self,
        mode: Mode,
        state: &Token,
        browser: Option<&Token>,
        now: Timestamp,
    ) -> Result<Claimed, InstallError> {
        let claimed = Claimed { mode, hash: state.hash(TokenPurpose::State), claim: random_id("clm_")? };
        let row = self.own_row(mode, &claimed.hash, browser, now).await?;
        if text(&row, "state")? != "issued" {
            return Err(InstallError::Spent);
        }
        self.step(
            &claimed,
            "claiming an install",
            now,
            Step {
                from: "issued",
                to: "exchanging",
                claim: None,
                valid_until: now.plus_secs(STEP_SECS),
                set: vec![("claim", s(&claimed.claim))],
            },
        )
        .await?;
        Ok(claimed)
    }

    /// Ends a claimed install that Stripe sent back without a code.
    ///
    /// # Errors
    /// [`InstallError`].
    pub async fn refuse_install(&self, claimed: &Claimed, now: Timestamp) -> Result<(), InstallError> {
        self.step(
            claimed,
            "ending an install",
            now,
            Step { from: "exchanging", to: "refused", claim: Some(&claimed.claim), valid_until: now, set: Vec::new() },
        )
        .await
    }

    /// Holds what Stripe granted, asked for at `asked_at`, sealed, until the person confirms.
    ///
    /// # Errors
    /// [`InstallError`].
    pub async fn hold_grant(
        &self,
        seal: &Seal,
        claimed: &Claimed,
        grant: &Grant,
        profile: &Profile,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), InstallError> {
        let currency: Currency =
            profile.default_currency.parse().map_err(|_| InstallError::Profile("default_currency"))?;
        let sealed = tokens::sealed(seal, grant, asked_at).await?;
        self.step(
            claimed,
            "holding a grant",
            now,
            Step {
                from: "exchanging",
                to: "pending",
                claim: Some(&claimed.claim),
                valid_until: now.plus_secs(STEP_SECS),
                set: vec![
                    ("account", s(grant.account.as_str())),
                    ("display_name", s(&profile.display_name)),
                    ("country", s(&profile.country)),
                    ("currency", s(currency.as_str())),
                    ("tokens", b(sealed)),
                    ("tokens_at", s(asked_at.to_string())),
                ],
            },
        )
        .await
    }

    /// The install of a state, for the browser that brings its cookie.
    ///
    /// # Errors
    /// [`InstallError`]; [`InstallError::Spent`] where it is neither pending nor confirmed.
    pub async fn install(
        &self,
        mode: Mode,
        state: &Token,
        browser: Option<&Token>,
        now: Timestamp,
    ) -> Result<Install, InstallError> {
        let hash = state.hash(TokenPurpose::State);
        let row = self.own_row(mode, &hash, browser, now).await?;
        Install::read(mode, hash, &row)
    }

    /// The install that `pending` was read from, as it stands now.
    pub(crate) async fn install_again(&self, pending: &Pending) -> Result<Install, InstallError> {
        let mode = pending.grant.scope.mode();
        let row = self.row(&pk(mode, &pending.hash), SK).await?.ok_or(InstallError::Unknown)?;
        Install::read(mode, pending.hash.clone(), &row)
    }

    /// The write that confirms a pending install and takes the tokens out of it.
    pub(crate) fn confirm_install(&self, pending: &Pending) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(pk(pending.grant.scope.mode(), &pending.hash), SK)))
            .condition_expression("#state = :pending AND attempt = :attempt")
            .update_expression("SET #state = :confirmed REMOVE tokens")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", s("pending"))
            .expression_attribute_values(":confirmed", s("confirmed"))
            .expression_attribute_values(":attempt", s(&pending.grant.attempt))
            .build()
            .map_err(|_| AwsError::unexpected("confirming an install", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The row of a state, after checking that it is this browser's and within its time.
    async fn own_row(
        &self,
        mode: Mode,
        hash: &TokenHash,
        browser: Option<&Token>,
        now: Timestamp,
    ) -> Result<Item, InstallError> {
        let row = self.row(&pk(mode, hash), SK).await?.ok_or(InstallError::Unknown)?;
        let browser = browser.ok_or(InstallError::OtherBrowser)?.hash(TokenPurpose::Browser);
        if !browser.is(text(&row, "browser")?) {
            return Err(InstallError::OtherBrowser);
        }
        let valid_until: i64 = number(&row, "valid_until")?;
        let open = matches!(text(&row, "state")?, "issued" | "exchanging" | "pending");
        // Validity is this comparison; DynamoDB's own expiry only tidies up, days late.
        if open && now.secs() >= valid_until { Err(InstallError::Expired) } else { Ok(row) }
    }

    /// Takes one step. A failed condition on a row that shows this very step is this step, reported late by a retry.
    async fn step(
        &self,
        claimed: &Claimed,
        call: &'static str,
        now: Timestamp,
        step: Step<'_>,
    ) -> Result<(), InstallError> {
        let mut condition = "#state = :from".to_owned();
        let mut update = "SET #state = :to, valid_until = :until, stepped_at = :now".to_owned();
        let mut request = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(pk(claimed.mode, &claimed.hash), SK)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", s(step.from))
            .expression_attribute_values(":to", s(step.to))
            .expression_attribute_values(":until", n(step.valid_until.secs()))
            .expression_attribute_values(":now", s(now.to_string()));
        if let Some(claim) = step.claim {
            condition.push_str(" AND claim = :claimant");
            request = request.expression_attribute_values(":claimant", s(claim));
        }
        for (name, value) in step.set {
            update.push_str(&format!(", {name} = :{name}"));
            request = request.expression_attribute_values(format!(":{name}"), value);
        }
        let answer = request.condition_expression(condition).update_expression(update).send().await;
        let Err(error) = answer else {
            return Ok(());
        };
        if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
            let mine = failed.item().is_some_and(|row| {
                text(row, "state") == Ok(step.to) && text(row, "claim") == Ok(claimed.claim.as_str())
            });
            return if mine { Ok(()) } else { Err(InstallError::Spent) };
        }
        Err(AwsError::of(call)(error).into())
    }
}

impl Install {
    fn read(mode: Mode, hash: TokenHash, row: &Item) -> Result<Self, InstallError> {
        let state = text(row, "state")?;
        if !matches!(state, "pending" | "confirmed") {
            return Err(InstallError::Spent);
        }
        let account: AccountId = parse(row, "account")?;
        let scope = Scope::new(mode, account);
        let display_name = text(row, "display_name")?.to_owned();
        if state == "confirmed" {
            return Ok(Self::Confirmed(scope, display_name));
        }
        Ok(Self::Pending(Box::new(Pending {
            grant: Admission {
                scope,
                display_name,
                country: text(row, "country")?.to_owned(),
                currency: parse(row, "currency")?,
                attempt: text(row, "attempt")?.to_owned(),
                sealed: bytes(row, "tokens")?.to_vec(),
                sealed_at: row.contains_key("tokens_at").then(|| parse(row, "tokens_at")).transpose()?,
                key: None,
            },
            link: parse(row, "link")?,
            hash,
        })))
    }
}
