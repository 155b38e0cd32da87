//! Axiru keys: what an agent or a member of staff presents instead of a Stripe key.
//!
//! `axk_{test|live}_{id}_{secret}{checksum}`: a prefix that scanners find, the mode, an id of 12 characters, 256 random bits as 43
//! characters of base62, and the CRC-32 of everything before it as 6. Underscores, so that a double click selects the whole, and the
//! checksum, so that a scanner tells a key from noise without asking anybody, are GitHub's habit (GitHub Blog, "Behind GitHub's new
//! authentication token formats", 2021). Only the hash of a key is ever stored. The secret is repeated in no `Debug` and no error.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Mode;

/// Characters of base62, in the order of ASCII.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of an id. 36^12 is some 2^62.
const ID: usize = 12;
/// Characters of a secret: 62^43 is just above 2^256.
const SECRET: usize = 43;
/// Characters of a checksum: 62^6 is above 2^32.
const CHECKSUM: usize = 6;

/// Lower-case letters and digits.
pub(crate) fn is_lower_alnum(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Random bytes as lower-case letters and digits, one for each byte. The 36 characters are not quite equally likely: 256 is no
/// multiple of 36. For names that must not collide, never for secrets.
pub(crate) fn lower_alnum(bytes: &[u8]) -> String {
    const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    bytes.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte % 36))).map(|c| char::from(*c)).collect()
}

/// The public part of a key: 12 lower-case letters and digits. It stands in rows, entries and logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// The id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; ID]) -> Self {
        Self(lower_alnum(&bytes))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the id of a key. It is not repeated: it may be a whole key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a key: expected 12 lower-case letters and digits, the part between the mode and the secret")]
pub struct KeyIdError;

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        if text.len() == ID && is_lower_alnum(text) { Ok(Self(text.to_owned())) } else { Err(KeyIdError) }
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyIdError;

    fn try_from(text: String) -> Result<Self, KeyIdError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

/// A whole key, as its holder presents it. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct KeyToken {
    mode: Mode,
    id: KeyId,
    text: Zeroizing<String>,
}

/// The text is not a key. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyTokenError {
    /// Not of the form.
    #[error("not an Axiru key: expected `axk_test_…` or `axk_live_…`, 71 characters")]
    Form,
    /// Of the form, but mistyped or cut.
    #[error("the key's last six characters do not fit the rest: it was mistyped or cut")]
    Checksum,
}

impl KeyToken {
    /// The key of these random bytes.
    #[must_use]
    pub fn from_random(mode: Mode, id: KeyId, secret: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(71));
        text.push_str("axk_");
        text.push_str(mode.as_str());
        text.push('_');
        text.push_str(id.as_str());
        text.push('_');
        push_base62(&mut text, secret, SECRET);
        let checksum = crc32(text.as_bytes()).to_be_bytes();
        push_base62(&mut text, &checksum, CHECKSUM);
        Self { mode, id, text }
    }

    /// The mode that it is for.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Its public part.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// The text that its holder keeps.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored of it: SHA-256(`axiru/key/v1` LF key). Of the whole key, so that it is another one in another mode and under
    /// another id. 256 random bits need no slow hash.
    #[must_use]
    pub fn sha256(&self) -> KeyHash {
        KeyHash(Sha256::new().chain_update("axiru/key/v1\n").chain_update(self.text.as_bytes()).finalize().into())
    }
}

/// Mode and id only.
impl fmt::Debug for KeyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyToken(axk_{}_{}_…)", self.mode, self.id)
    }
}

impl FromStr for KeyToken {
    type Err = KeyTokenError;

    fn from_str(text: &str) -> Result<Self, KeyTokenError> {
        let form = || {
            let (mode, rest) = text.strip_prefix("axk_")?.split_once('_')?;
            let (id, rest) = rest.split_once('_')?;
            let fits = rest.len() == SECRET + CHECKSUM && rest.bytes().all(|b| b.is_ascii_alphanumeric());
            fits.then_some((mode.parse::<Mode>().ok()?, id.parse::<KeyId>().ok()?))
        };
        let (mode, id) = form().ok_or(KeyTokenError::Form)?;
        let (body, checksum) = text.split_at_checked(text.len() - CHECKSUM).ok_or(KeyTokenError::Form)?;
        let mut expected = String::with_capacity(CHECKSUM);
        push_base62(&mut expected, &crc32(body.as_bytes()).to_be_bytes(), CHECKSUM);
        if expected == checksum {
            Ok(Self { mode, id, text: Zeroizing::new(text.to_owned()) })
        } else {
            Err(KeyTokenError::Checksum)
        }
    }
}

/// The hash of a key: all that is stored of it. Written as 64 lower-case hex digits.
#[derive(Clone, Copy, Debug)]
pub struct KeyHash([u8; 32]);

/// The text is not the hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in 64 lower-case hex digits")]
pub struct KeyHashError;

impl KeyHash {
    /// Whether both are of the same key, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for KeyHash {
    type Err = KeyHashError;

    fn from_str(text: &str) -> Result<Self, KeyHashError> {
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(KeyHashError),
        };
        let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Result<_, _>>()?;
        let mut bytes = [0_u8; 32];
        if digits.len() != bytes.len() * 2 {
            return Err(KeyHashError);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

/// Writes big-endian bytes as a number of `width` characters of base62, with zeros in front.
fn push_base62(text: &mut String, bytes: &[u8], width: usize) {
    let mut rest = Zeroizing::new(bytes.to_vec());
    let mut digits = Zeroizing::new(vec![b'0'; width]);
    for digit in digits.iter_mut().rev() {
        // One long division by 62: what remains is the next digit from the right.
        let remainder = rest.iter_mut().fold(0_u16, |carry, byte| {
            let value = carry << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            value % 62
        });
        *digit = BASE62.get(usize::from(remainder)).copied().unwrap_or(b'0');
    }
    text.extend(digits.iter().map(|digit| char::from(*digit)));
}

/// CRC-32 as in ISO 3309 and zip files: reflected polynomial 0xEDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> KeyToken {
        KeyToken::from_random(Mode::Live, KeyId::from_random([7; 12]), &[0xff; 32])
    }

    #[test]
    fn published_values() {
        // The check value of CRC-32 in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        let base62 = |bytes: &[u8], width| {
            let mut text = String::new();
            push_base62(&mut text, bytes, width);
            text
        };
        // python3: d="0..9A..Za..z"; 2**32-1 and 2**256-1 by divmod(n, 62)
        assert_eq!(base62(&[0xff; 4], 6), "4gfFC3");
        assert_eq!(base62(&[0; 4], 6), "000000");
        assert_eq!(base62(&[0, 0, 0, 62], 6), "000010");
        assert_eq!(base62(&[0xff; 32], 43).len(), 43);
    }

    #[test]
    fn a_key_is_71_characters_and_says_its_mode_and_id() {
        let token = token();
        assert_eq!(token.expose().len(), 71);
        assert!(token.expose().starts_with("axk_live_hhhhhhhhhhhh_"));
        let read: KeyToken = token.expose().parse().unwrap();
        assert_eq!((read.mode(), read.id().as_str()), (Mode::Live, "hhhhhhhhhhhh"));
        assert!(read.sha256().is(&token.sha256()));
        assert!(token.sha256().to_string().parse::<KeyHash>().unwrap().is(&token.sha256()));
        let test = KeyToken::from_random(Mode::Test, token.id().clone(), &[0xff; 32]);
        assert!(!test.sha256().is(&token.sha256()), "the same secret in another mode is another key");
    }

    #[test]
    fn the_secret_is_in_no_debug_and_no_error() {
        let token = token();
        let secret = &token.expose()[22..];
        assert!(!format!("{token:?}").contains(secret));
        let cut = &token.expose()[..70];
        let error = cut.parse::<KeyToken>().unwrap_err();
        assert!(!format!("{error:?} {error}").contains(&secret[..8]));
        assert!(!format!("{:?}", token.expose().parse::<KeyId>()).contains(&secret[..8]));
    }

    #[test]
    fn every_wrong_character_is_noticed() {
        let good = token().expose().to_owned();
        for at in 0..good.len() {
            for wrong in ["0", "z", "_", "-", " ", "é"] {
                let bad = format!("{}{wrong}{}", &good[..at], &good[at + 1..]);
                assert!(bad == good || bad.parse::<KeyToken>().is_err(), "{at} {wrong}");
            }
        }
        let mut swapped = good.clone().into_bytes();
        swapped.swap(40, 70);
        assert!(String::from_utf8(swapped).unwrap().parse::<KeyToken>().is_err());
    }

    #[test]
    fn other_forms_are_no_keys() {
        let good = token().expose().to_owned();
        for bad in [
            String::new(),
            "axk_live".into(),
            "sk_live_hhhhhhhhhhhh".into(),
            good.replace("live", "prod"),
            good.replace("axk", "AXK"),
            good.to_uppercase(),
            format!("{good} "),
            format!("{good}\n"),
            format!("Bearer {good}"),
            good.replace("hhhhhhhhhhhh", "hhhhhhhhhhh"),
        ] {
            assert_eq!(bad.parse::<KeyToken>().err(), Some(KeyTokenError::Form), "{bad}");
        }
        for bad in ["", "ab", &"A".repeat(64), &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert!(bad.parse::<KeyHash>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_back(live: bool, id: [u8; 12], secret: [u8; 32]) {
            let made = KeyToken::from_random(Mode::from_livemode(live), KeyId::from_random(id), &secret);
            let read: KeyToken = made.expose().parse().unwrap();
            prop_assert_eq!(read.expose(), made.expose());
            prop_assert!(read.sha256().is(&made.sha256()));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,90}", tail in "[0-9A-Za-z_é]{40,60}") {
            let _ = text.parse::<KeyToken>();
            let _ = format!("axk_live_abcdefghijkl_{tail}").parse::<KeyToken>();
            let _ = text.parse::<KeyHash>();
        }
    }
}
