//! Webhook signatures, as Stripe's documentation "Verify webhook signatures manually" describes them.
//!
//! The header is `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`; each `v1` is HMAC-SHA256 over `<t>.<raw body>` under the whole
//! `whsec_…` text. While a secret is rolled there are several `v1`, and Axiru may hold several secrets: any pair counts.
//! Other schemes (`v0`) are ignored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Largest difference between the signature's time and now, both ways, in seconds: Stripe's own default.
pub const TOLERANCE_SECS: i64 = 300;

/// Longest header that is read: `t` and 16 signatures of 68 bytes are 1,100.
const MAX_HEADER: usize = 2_048;

/// Most `v1` entries that are tried: one per active secret of an endpoint, and Stripe keeps at most a few.
const MAX_SIGNATURES: usize = 16;

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request has no header, or an empty one.
    #[error("no signature")]
    Missing,
    /// The header is not of the form.
    #[error("the signature header is not of the form `t=…,v1=…`")]
    Form,
    /// The time is too far from now.
    #[error("the signature is older or newer than {TOLERANCE_SECS} s")]
    Stale,
    /// No pair of secret and signature fits the body.
    #[error("no signature fits the body")]
    Mismatch,
    /// There is no secret to check with.
    #[error("no signing secret is known for this endpoint")]
    NoSecret,
}

/// Checks `header` over the exact bytes of the body, with any of `secrets`, at `now` (unix seconds).
///
/// # Errors
/// [`SignatureError`].
pub fn verify<S: AsRef<[u8]>>(header: &str, body: &[u8], secrets: &[S], now: i64) -> Result<(), SignatureError> {
    let Header { time, signatures } = parse(header)?;
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let mut fits = subtle::Choice::from(0);
    for secret in secrets {
        let expected = mac(secret.as_ref(), time, body);
        for signature in &signatures {
            fits |= expected.ct_eq(signature);
        }
    }
    if !bool::from(fits) {
        return Err(SignatureError::Mismatch);
    }
    // After the signature: only Stripe learns whether a time is accepted.
    let secs: i64 = time.parse().map_err(|_| SignatureError::Form)?;
    if now.abs_diff(secs) > TOLERANCE_SECS.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

struct Header<'a> {
    /// As written: it is part of what is signed.
    time: &'a str,
    signatures: Vec<[u8; 32]>,
}

fn parse(header: &str) -> Result<Header<'_>, SignatureError> {
    if header.trim().is_empty() {
        return Err(SignatureError::Missing);
    }
    if header.len() > MAX_HEADER {
        return Err(SignatureError::Form);
    }
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        let (scheme, value) = part.trim().split_once('=').ok_or(SignatureError::Form)?;
        match scheme {
            "t" => {
                let plain = (1..=12).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
                if !plain || time.replace(value).is_some() {
                    return Err(SignatureError::Form);
                }
            }
            "v1" => {
                if signatures.len() == MAX_SIGNATURES {
                    return Err(SignatureError::Form);
                }
                signatures.push(unhex(value).ok_or(SignatureError::Form)?);
            }
            _ => {}
        }
    }
    match time {
        Some(time) if !signatures.is_empty() => Ok(Header { time, signatures }),
        _ => Err(SignatureError::Form),
    }
}

/// 32 bytes from 64 lower-case hex digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |d: u8| match d {
        b'0'..=b'9' => Some(d - b'0'),
        b'a'..=b'f' => Some(d - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let (pairs, _) = digits.as_chunks::<2>();
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

fn mac(secret: &[u8], time: &str, body: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length: this constructor has no failing case (RFC 2104 §3).
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    mac.chain_update(time.as_bytes()).chain_update(b".").chain_update(body).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_test_secret";
    const BODY: &[u8] = b"{\n  \"id\": \"evt_1\"\n}";
    const T: i64 = 1_793_404_800;

    fn hex(bytes: [u8; 32]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    fn sign(secret: &str, time: i64, body: &[u8]) -> String {
        hex(mac(secret.as_bytes(), &time.to_string(), body))
    }

    fn header(secret: &str, time: i64) -> String {
        format!("t={time},v1={}", sign(secret, time, BODY))
    }

    #[test]
    fn known_answer() {
        // printf '1793404800.{\n  "id": "evt_1"\n}' | openssl dgst -sha256 -hmac whsec_test_secret
        assert_eq!(sign(SECRET, T, BODY), "8b3840c298531dcd5c6348a4ed8eda740f6263643d5e384ed32ff556482e5e64");
    }

    #[test]
    fn any_signature_with_any_secret_counts() {
        let both = format!("t={T},v0=ab,v1={},v1={}", "0".repeat(64), sign(SECRET, T, BODY));
        assert_eq!(verify(&both, BODY, &["whsec_new", SECRET], T), Ok(()));
        let reversed = format!("t={T},v1={},v1={}", sign(SECRET, T, BODY), "0".repeat(64));
        assert_eq!(verify(&reversed, BODY, &[SECRET, "whsec_new"], T), Ok(()));
    }

    #[test]
    fn the_time_counts_both_ways() {
        for (now, ok) in
            [(T, true), (T + 300, true), (T - 300, true), (T + 301, false), (T - 301, false), (i64::MIN, false)]
        {
            assert_eq!(verify(&header(SECRET, T), BODY, &[SECRET], now).is_ok(), ok, "{now}");
        }
    }

    #[test]
    fn forged_unsigned_and_misformed_are_refused() {
        let good = sign(SECRET, T, BODY);
        for (header, error) in [
            (String::new(), SignatureError::Missing),
            ("  ".to_owned(), SignatureError::Missing),
            ("t".to_owned(), SignatureError::Form),
            (format!("t={T}"), SignatureError::Form),
            (format!("v1={good}"), SignatureError::Form),
            (format!("t={T},t={T},v1={good}"), SignatureError::Form),
            (format!("t=-{T},v1={good}"), SignatureError::Form),
            (format!("t=+{T},v1={good}"), SignatureError::Form),
            (format!("t={T},v1={}", good.to_uppercase()), SignatureError::Form),
            (format!("t={T},v1={}", &good[1..]), SignatureError::Form),
            (format!("t={T},v1={good}{good}"), SignatureError::Form),
            (format!("t={T},v0={good}"), SignatureError::Form),
            (format!("t=0{T},v1={good}"), SignatureError::Mismatch),
            (format!("t={},v1={good}", T + 1), SignatureError::Mismatch),
            (header("whsec_other", T), SignatureError::Mismatch),
            (format!("t={T}{}", format!(",v1={good}").repeat(17)), SignatureError::Form),
            (format!("t={T},{}v1={good}", "x=".repeat(2_000)), SignatureError::Form),
        ] {
            assert_eq!(verify(&header, BODY, &[SECRET], T), Err(error), "{header}");
        }
        assert_eq!(verify::<&str>(&header(SECRET, T), BODY, &[], T), Err(SignatureError::NoSecret));
    }

    proptest! {
        #[test]
        fn any_changed_byte_of_the_body_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let mut body = BODY.to_vec();
            body[at.index(BODY.len())] ^= 1 << bit;
            prop_assert_eq!(verify(&header(SECRET, T), &body, &[SECRET], T), Err(SignatureError::Mismatch));
        }

        #[test]
        fn arbitrary_headers_never_panic_nor_pass(text in ".{0,200}", shaped in "t=[0-9]{1,12}(,v[01]=[0-9a-f]{60,66}){0,3}") {
            prop_assert!(verify(&text, BODY, &[SECRET], T).is_err());
            prop_assert!(verify(&shaped, BODY, &[SECRET], T).is_err());
        }
    }
}
