//! Where Stripe's API is.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Where Stripe's API is, unless told otherwise.
pub const STRIPE: &str = "https://api.stripe.com";

/// The address of Stripe's API: `https://api.stripe.com`, or a stand-in on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiBase(Url);

/// The address may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an address that credentials may be sent to: expected https, or http on this machine, without user, query or fragment"
)]
pub struct AddressError;

/// Reads an address that credentials or people may be sent to: https, or http to this machine's own loopback.
///
/// # Errors
/// [`AddressError`].
pub fn trusted_address(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError)?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(AddressError),
    };
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && here);
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if scheme_fits && bare { Ok(url) } else { Err(AddressError) }
}

impl FromStr for ApiBase {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = trusted_address(text)?;
        if url.path() == "/" { Ok(Self(url)) } else { Err(AddressError) }
    }
}

impl ApiBase {
    /// The address of a path that begins with `/v1/`.
    #[must_use]
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl fmt::Display for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_over_tls_or_stay_on_this_machine() {
        for good in ["https://api.stripe.com", "http://127.0.0.1:8788", "http://localhost:1/", "http://[::1]:8788"] {
            assert!(good.parse::<ApiBase>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.stripe.com",
            "http://api.stripe.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user@api.stripe.com",
            "https://api.stripe.com/v1",
            "https://api.stripe.com?x=1",
            "https://api.stripe.com#x",
            "ftp://127.0.0.1",
            "file:///etc",
        ] {
            assert!(bad.parse::<ApiBase>().is_err(), "{bad}");
        }
    }
}
