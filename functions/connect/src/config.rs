//! Where things are: read once, and refused if it would send people or credentials to a wrong place.

use axiru_domain::{Lanes, Mode, Scope};
use axiru_runtime::env::{self, EnvError};
use axiru_stripe::base::{ApiBase, STRIPE, trusted_address};
use axiru_stripe::permissions::Variant;
use url::Url;

/// The function's configuration. Holds no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the deployment.
    pub deployment: String,
    /// The address under which browsers and Stripe reach Axiru, without a path.
    pub public_url: Url,
    /// Where Stripe's API is.
    pub stripe: ApiBase,
    /// Stripe's consent page for the app in test mode.
    pub authorize_test: Url,
    /// Stripe's consent page for the app in live mode.
    pub authorize_live: Url,
    /// Lanes of a new connection in test mode.
    pub lanes_test: Lanes,
    /// Lanes of a new connection in live mode.
    pub lanes_live: Lanes,
    /// The manifest's variant that the Stripe App was uploaded with.
    pub permissions: Variant,
}

/// A setting is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Missing, or of another form.
    #[error("{0}")]
    Env(#[from] EnvError),
    /// An address that people or credentials may not be sent to.
    #[error("the setting `{0}` is not https (or http on this machine) without user, query and fragment")]
    Address(&'static str),
}

/// Stripe's consent page, unless told otherwise.
const AUTHORIZE: &str = "https://marketplace.stripe.com/oauth/v2/authorize";

impl Config {
    /// From the environment.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load() -> Result<Self, ConfigError> {
        let public_url = env::required("AXIRU_PUBLIC_URL")?;
        let config = Self {
            deployment: env::required("AXIRU_DEPLOYMENT")?,
            public_url: address("AXIRU_PUBLIC_URL", Some(public_url), "")?,
            stripe: env::optional("AXIRU_STRIPE_API_BASE")
                .unwrap_or_else(|| STRIPE.to_owned())
                .parse()
                .map_err(|_| ConfigError::Address("AXIRU_STRIPE_API_BASE"))?,
            authorize_test: address("AXIRU_AUTHORIZE_URL_TEST", env::optional("AXIRU_AUTHORIZE_URL_TEST"), AUTHORIZE)?,
            authorize_live: address("AXIRU_AUTHORIZE_URL_LIVE", env::optional("AXIRU_AUTHORIZE_URL_LIVE"), AUTHORIZE)?,
            lanes_test: lanes("AXIRU_LANES_TEST", 1)?,
            lanes_live: lanes("AXIRU_LANES_LIVE", 4)?,
            permissions: permissions(env::optional("AXIRU_STRIPE_PERMISSIONS").as_deref())?,
        };
        if config.public_url.path() == "/" { Ok(config) } else { Err(ConfigError::Address("AXIRU_PUBLIC_URL")) }
    }

    /// Stripe's consent page in a mode.
    #[must_use]
    pub const fn authorize_page(&self, mode: Mode) -> &Url {
        match mode {
            Mode::Test => &self.authorize_test,
            Mode::Live => &self.authorize_live,
        }
    }

    /// Lanes of a new connection.
    #[must_use]
    pub const fn lanes(&self, mode: Mode) -> Lanes {
        match mode {
            Mode::Test => self.lanes_test,
            Mode::Live => self.lanes_live,
        }
    }

    /// Where Stripe sends people back to. Fixed by configuration, never by a request's `Host`.
    #[must_use]
    pub fn callback(&self) -> Url {
        self.at("/stripe/callback")
    }

    /// Where Stripe delivers the events of a mode.
    #[must_use]
    pub fn webhooks(&self, mode: Mode) -> Url {
        self.at(&format!("/stripe/webhooks/{mode}"))
    }

    /// Where Stripe delivers the events of an account that has an endpoint of its own.
    #[must_use]
    pub fn own_webhooks(&self, scope: &Scope) -> Url {
        self.at(&format!("/stripe/webhooks/{}/{}", scope.mode(), scope.account()))
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url
    }
}

fn address(name: &'static str, given: Option<String>, default: &str) -> Result<Url, ConfigError> {
    trusted_address(given.as_deref().unwrap_or(default)).map_err(|_| ConfigError::Address(name))
}

fn permissions(word: Option<&str>) -> Result<Variant, ConfigError> {
    let word = word.unwrap_or(Variant::ReadOnly.as_str());
    let known = Variant::ALL.into_iter().find(|variant| variant.as_str() == word);
    known.ok_or_else(|| EnvError::Form("AXIRU_STRIPE_PERMISSIONS").into())
}

fn lanes(name: &'static str, default: u16) -> Result<Lanes, ConfigError> {
    Lanes::try_from(env::parsed(name, default)?).map_err(|_| EnvError::Form(name).into())
}
