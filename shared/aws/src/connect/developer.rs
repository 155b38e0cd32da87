//! The merchant's own Stripe App: its id and its developer key, one secret per mode in Secrets Manager.
//!
//! The key is read for each use and kept nowhere. An empty secret, as a new stack has it, is an error that says so.

use axiru_domain::Mode;
use axiru_stripe::oauth::AppId;
use axiru_stripe::secret::Secret;
use serde::Deserialize;
use zeroize::Zeroize;

use crate::error::AwsError;

/// The two secrets.
#[derive(Clone, Debug)]
pub struct Developers {
    client: aws_sdk_secretsmanager::Client,
    test: String,
    live: String,
}

/// An app's id and key in one mode.
pub struct Developer {
    /// `ca_…`; public.
    pub app: AppId,
    /// The developer account's secret key.
    pub key: Secret,
}

/// The secret of a mode cannot be used. Nothing of what it holds is told.
#[derive(Debug, thiserror::Error)]
pub enum DeveloperError {
    /// Secrets Manager does not give it.
    #[error("the developer secret of {mode} mode cannot be read: {source}")]
    Aws {
        /// The mode.
        mode: Mode,
        /// Why.
        source: AwsError,
    },
    /// A field is missing or has another form.
    #[error("the developer secret of {mode} mode is not filled: `{field}` is missing or wrong")]
    Field {
        /// The mode.
        mode: Mode,
        /// The field.
        field: &'static str,
    },
    /// The key is of the other mode.
    #[error("the developer secret of {0} mode holds a key of the other mode")]
    OtherMode(Mode),
    /// The key is a restricted or publishable one, which Stripe refuses for tokens.
    #[error("the developer secret of {0} mode holds no secret key (`sk_…`)")]
    NotASecretKey(Mode),
}

#[derive(Deserialize)]
struct Fields {
    client_id: Option<String>,
    developer_key: Option<String>,
}

impl Developers {
    /// The secrets of these ARNs.
    #[must_use]
    pub fn new(client: aws_sdk_secretsmanager::Client, test: impl Into<String>, live: impl Into<String>) -> Self {
        Self { client, test: test.into(), live: live.into() }
    }

    /// The app of a mode.
    ///
    /// # Errors
    /// [`DeveloperError`].
    pub async fn of(&self, mode: Mode) -> Result<Developer, DeveloperError> {
        let id = match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        };
        let answer = self.client.get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(|error| DeveloperError::Aws {
            mode,
            source: AwsError::of("reading a developer secret")(error).without_source(),
        })?;
        let mut text = answer.secret_string.unwrap_or_default();
        let developer = Developer::read(mode, &text);
        text.zeroize();
        developer
    }
}

impl Developer {
    fn read(mode: Mode, text: &str) -> Result<Self, DeveloperError> {
        let fields: Fields =
            serde_json::from_str(text).map_err(|_| DeveloperError::Field { mode, field: "client_id" })?;
        let app = fields.client_id.and_then(|id| id.parse().ok());
        let app = app.ok_or(DeveloperError::Field { mode, field: "client_id" })?;
        let key = fields.developer_key.and_then(|key| Secret::new(key).ok());
        let key = key.ok_or(DeveloperError::Field { mode, field: "developer_key" })?;
        let other = match mode {
            Mode::Test => Mode::Live,
            Mode::Live => Mode::Test,
        };
        if !key.expose().starts_with("sk_") {
            return Err(DeveloperError::NotASecretKey(mode));
        }
        if key.expose().starts_with(&format!("sk_{other}_")) {
            return Err(DeveloperError::OtherMode(mode));
        }
        Ok(Self { app, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_other_mode_or_kind_is_refused_without_repeating_it() {
        for (text, told) in [
            ("", "client_id"),
            ("{}", "client_id"),
            ("[]", "client_id"),
            (r#"{"client_id":"sk_test_canary","developer_key":"sk_test_canary"}"#, "client_id"),
            (r#"{"client_id":"ca_1"}"#, "developer_key"),
            (r#"{"client_id":"ca_1","developer_key":""}"#, "developer_key"),
            (r#"{"client_id":"ca_1","developer_key":"sk_live_canary"}"#, "other mode"),
            (r#"{"client_id":"ca_1","developer_key":"rk_test_canary"}"#, "no secret key"),
            (r#"{"client_id":"ca_1","developer_key":"pk_test_canary"}"#, "no secret key"),
        ] {
            let error = Developer::read(Mode::Test, text).err().unwrap();
            assert!(error.to_string().contains(told), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert!(Developer::read(Mode::Test, r#"{"client_id":"ca_1","developer_key":"sk_test_canary"}"#).is_ok());
        assert!(Developer::read(Mode::Live, r#"{"client_id":"ca_1","developer_key":"sk_live_canary"}"#).is_ok());
    }
}
