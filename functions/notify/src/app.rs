//! What the handler works with, built once.

use axiru_aws::approval::Minter;
use axiru_aws::mail::Mailer;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env::{self, EnvError};
use url::Url;

/// Minutes between two mails to the operators of a scope, unless the deployment says otherwise.
const DIGEST_MINUTES: u32 = 15;

/// The function's tables, its way to make links, and its way to send mail.
pub struct App {
    pub(crate) store: Store,
    pub(crate) minter: Minter,
    /// None where the deployment has no address to mail from.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) public_url: Url,
    pub(crate) digest_secs: i64,
    pub(crate) now: fn() -> Timestamp,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`EnvError`].
    pub async fn load() -> Result<Self, EnvError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let store = Store::new(clients.dynamodb, state, env::required("AXIRU_LEDGER_TABLE")?);
        let minter = Minter::new(
            store.clone(),
            clients.kms,
            env::required("AXIRU_DEPLOYMENT")?,
            env::required("AXIRU_LINK_KEY_NAME")?,
            env::required("AXIRU_LINK_KEY_ID")?,
        );
        let set = env::required("AXIRU_MAIL_CONFIGURATION_SET")?;
        let mailer = env::optional("AXIRU_MAIL_FROM").map(|from| Mailer::new(clients.ses, from, set));
        let public_url = env::required("AXIRU_PUBLIC_URL")?;
        let public_url = public_url.parse().map_err(|_| EnvError::Form("AXIRU_PUBLIC_URL"))?;
        let minutes = env::parsed("AXIRU_OPERATOR_DIGEST_MINUTES", DIGEST_MINUTES)?;
        Ok(Self::new(store, minter, mailer, public_url, minutes, Timestamp::now))
    }

    /// On that store, with links made by that minter under that address, mailing the operators of a scope once in so many minutes.
    #[must_use]
    pub fn new(
        store: Store,
        minter: Minter,
        mailer: Option<Mailer>,
        public_url: Url,
        digest_minutes: u32,
        now: fn() -> Timestamp,
    ) -> Self {
        Self { store, minter, mailer, public_url, digest_secs: i64::from(digest_minutes) * 60, now }
    }
}
