//! A text that must not be shown.
//!
//! A secret has no `Debug`, `Display` or `Serialize`, so that no log line, error or answer can hold one by mistake, and its
//! bytes are overwritten when it is dropped. Who needs the text says so: [`Secret::expose`].

use zeroize::Zeroizing;

/// A token, a key or a signing secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// The text is not usable as a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential: expected 8 to 512 visible ASCII characters without spaces")]
pub struct SecretError;

impl Secret {
    /// Takes a credential: 8 to 512 visible ASCII characters. Stripe's own are 30 to some 250 characters long.
    ///
    /// # Errors
    /// [`SecretError`] for anything that could break a header, or is too short to be a credential.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text.into());
        let fits = (8..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(SecretError) }
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only while `Secret` has none of these traits: otherwise both implementations apply and `_` is ambiguous.
    #[test]
    fn cannot_be_shown() {
        trait Shown<Marker> {
            fn shown() {}
        }
        struct ByDebug;
        struct ByDisplay;
        struct BySerialize;
        impl<T> Shown<()> for T {}
        impl<T: std::fmt::Debug> Shown<ByDebug> for T {}
        impl<T: std::fmt::Display> Shown<ByDisplay> for T {}
        impl<T: serde::Serialize> Shown<BySerialize> for T {}
        let _ = <Secret as Shown<_>>::shown;
    }

    #[test]
    fn what_cannot_be_a_credential_is_refused() {
        let long = "k".repeat(513);
        for bad in ["", "short", "with space in it", "line\nbreak_", "umläute_in_it", "tab\tin_it_", &long] {
            assert!(Secret::new(bad).is_err());
        }
        assert!(Secret::new("sk_test_123").is_ok_and(|secret| secret.expose() == "sk_test_123"));
    }
}
