//! Random tokens that a person carries: set-up links, states, browser bindings. Only their hashes are stored.

use std::fmt::Write as _;
use std::str::FromStr;

use aws_lc_rs::{constant_time, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// 256 random bits, written as 43 characters of URL-safe base64. Like every secret it has no `Debug`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

/// What a token is for; the same text has another hash for every purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    /// A set-up link.
    SetupLink,
    /// OAuth's `state`.
    State,
    /// The cookie that binds a state to a browser.
    Browser,
}

/// The hash of a token: 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash(String);

/// The text is not a token. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token: expected 43 characters of URL-safe base64")]
pub struct TokenError;

/// The system has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes")]
pub struct RandomError;

/// Random bytes of a token.
const BYTES: usize = 32;

impl Token {
    /// A new token.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn random() -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        rand::fill(bytes.as_mut()).map_err(|_| RandomError)?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))))
    }

    /// The text that a person carries.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash under which it is stored.
    #[must_use]
    pub fn hash(&self, purpose: TokenPurpose) -> TokenHash {
        let purpose = match purpose {
            TokenPurpose::SetupLink => "axiru/setup-link/v1\n",
            TokenPurpose::State => "axiru/oauth-state/v1\n",
            TokenPurpose::Browser => "axiru/browser/v1\n",
        };
        TokenHash(hex(&Sha256::new().chain_update(purpose).chain_update(self.0.as_bytes()).finalize()))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        // One token has one text: padding and stray trailing bits are refused by the decoder.
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?);
        if bytes.len() == BYTES { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(TokenError) }
    }
}

impl TokenHash {
    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `stored` is this hash, in constant time.
    #[must_use]
    pub fn is(&self, stored: &str) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), stored.as_bytes()).is_ok()
    }
}

impl FromStr for TokenHash {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let fits = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text.to_owned())) } else { Err(TokenError) }
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random id of 32 hex digits behind `prefix`.
pub(crate) fn random_id(prefix: &str) -> Result<String, RandomError> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(format!("{prefix}{}", hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_has_one_hash_per_purpose() {
        let token = Token::random().unwrap();
        assert_eq!(token.expose().len(), 43);
        let read: Token = token.expose().parse().unwrap_or_else(|_| panic!("not read back"));
        let hash = token.hash(TokenPurpose::State);
        assert!(hash.is(read.hash(TokenPurpose::State).as_str()));
        assert!(!hash.is(read.hash(TokenPurpose::Browser).as_str()));
        assert!(!hash.is(read.hash(TokenPurpose::SetupLink).as_str()));
        assert!(!hash.is(Token::random().unwrap().hash(TokenPurpose::State).as_str()));
        assert!(!hash.is("") && hash.as_str().parse::<TokenHash>().is_ok());
        assert!(!hash.as_str().contains(token.expose()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = Token::random().unwrap();
        for bad in [
            "",
            "abc",
            &good.expose()[1..],
            &format!("{}A", good.expose()),
            &format!("{}=", &good.expose()[..42]),
            &"+".repeat(43),
            &"é".repeat(21),
        ] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
        // The last character carries four bits and two stray ones, which must be zero.
        assert!(format!("{}B", "A".repeat(42)).parse::<Token>().is_err());
    }
}
