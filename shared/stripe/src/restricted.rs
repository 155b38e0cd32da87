//! Restricted keys: an account's own key with chosen permissions, the second door beside the Stripe App.
//!
//! A key's prefix says what it is and of which mode (Stripe docs, "API keys"): `rk_test_…`, `rk_live_…`.

use axiru_domain::Mode;

use crate::secret::Secret;

/// A restricted key and its mode. No `Debug`, as of every secret.
#[derive(Clone)]
pub struct RestrictedKey {
    secret: Secret,
    mode: Mode,
}

/// The text is not a restricted key. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestrictedKeyError {
    /// A full secret key.
    #[error(
        "this is a secret key, which may do everything: make a restricted one in Stripe's Dashboard, under Developers, API keys"
    )]
    Secret,
    /// A publishable key.
    #[error(
        "this is a publishable key, which may do nothing: make a restricted one in Stripe's Dashboard, under Developers, API keys"
    )]
    Publishable,
    /// Something else.
    #[error("this is not a restricted key: expected `rk_test_…` or `rk_live_…`")]
    Form,
}

impl RestrictedKey {
    /// Takes a restricted key.
    ///
    /// # Errors
    /// [`RestrictedKeyError`] for another kind of key, and for what is none.
    pub fn new(text: &str) -> Result<Self, RestrictedKeyError> {
        let text = text.trim();
        if text.starts_with("sk_") {
            return Err(RestrictedKeyError::Secret);
        }
        if text.starts_with("pk_") {
            return Err(RestrictedKeyError::Publishable);
        }
        let (mode, rest) = Mode::ALL
            .into_iter()
            .find_map(|mode| Some((mode, text.strip_prefix(&format!("rk_{mode}_"))?)))
            .ok_or(RestrictedKeyError::Form)?;
        if rest.len() < 8 || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(RestrictedKeyError::Form);
        }
        let secret = Secret::new(text).map_err(|_| RestrictedKeyError::Form)?;
        Ok(Self { secret, mode })
    }

    /// The mode that the key opens.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What Stripe is sent.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_restricted_keys_are_taken() {
        for (text, mode) in [("rk_test_0123456789abcdef", Mode::Test), (" rk_live_0123456789AB_x\n", Mode::Live)] {
            let key = RestrictedKey::new(text).ok().unwrap();
            assert_eq!((key.mode(), key.secret().expose()), (mode, text.trim()));
        }
        for (text, error) in [
            ("sk_live_0123456789abcdef", RestrictedKeyError::Secret),
            ("pk_live_0123456789abcdef", RestrictedKeyError::Publishable),
            ("rk_live_", RestrictedKeyError::Form),
            ("rk_prod_0123456789abcdef", RestrictedKeyError::Form),
            ("rk_live_0123456789 abcdef", RestrictedKeyError::Form),
            ("", RestrictedKeyError::Form),
            ("whsec_0123456789abcdef", RestrictedKeyError::Form),
        ] {
            assert_eq!(RestrictedKey::new(text).err(), Some(error), "{text}");
        }
    }
}
