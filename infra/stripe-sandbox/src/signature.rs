//! `Stripe-Signature: t=…,v1=…`: HMAC-SHA256 over `t`, a dot and the exact body; one `v1` for every active secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header for a body at a time. The whole `whsec_…` text is the key.
#[must_use]
pub fn sign(secrets: &[&str], timestamp: i64, body: &[u8]) -> String {
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&v1(secret, timestamp, body));
    }
    header
}

fn v1(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length: the error arm cannot happen, and an empty signature would simply not verify.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_v1_per_secret() {
        let header = sign(&["whsec_a", "whsec_b"], 12, b"{}");
        assert!(header.starts_with("t=12,v1="));
        assert_eq!(header.matches(",v1=").count(), 2);
    }

    /// RFC 4231 has no case of this construction, so the value was computed with another implementation:
    /// `printf '1.{}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn known_value() {
        assert_eq!(sign(&["whsec_test"], 1, b"{}"), format!("t=1,v1={}", KNOWN));
    }

    const KNOWN: &str = "7500d5d4be4b3ef07af1fe56f7d522d135cdaa7530de557e67cc1049c52de094";
}
