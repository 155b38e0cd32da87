//! Who calls: the Axiru key, and the account it speaks of.

use axiru_domain::{AccountId, KeyToken};
use axiru_runtime::key;
use http::HeaderMap;

use crate::refusal::Refusal;

/// The key that a request presents.
pub(crate) fn token(headers: &HeaderMap) -> Result<KeyToken, Refusal> {
    key::presented(headers).ok_or_else(Refusal::key)
}

/// The account that the headers name. `Stripe-Context` names accounts in a way that nobody checks here: it is refused.
pub(crate) fn account(headers: &HeaderMap) -> Result<Option<AccountId>, Refusal> {
    if headers.contains_key("stripe-context") {
        return Err(Refusal::field("Stripe-Context", "this header is not taken: name the account in Stripe-Account"));
    }
    let mut values = headers.get_all("stripe-account").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let account = value.to_str().ok().and_then(|text| text.parse().ok());
            account
                .map(Some)
                .ok_or_else(|| Refusal::field("Stripe-Account", "not the id of an account: expected `acct_…`"))
        }
        (Some(_), Some(_)) => Err(Refusal::field("Stripe-Account", "sent more than once")),
    }
}

#[cfg(test)]
mod tests {
    use axiru_domain::{KeyId, Mode};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn bearer_and_basic_present_the_same_key() {
        let key = KeyToken::from_random(Mode::Test, KeyId::from_random([1; 12]), &[7; 32]);
        let text = key.expose();
        let bare = STANDARD.encode(text);
        let with_colon = STANDARD.encode(format!("{text}:"));
        for value in [
            format!("Bearer {text}"),
            format!("bearer  {text}"),
            format!("Basic {bare}"),
            format!("basic {with_colon}"),
        ] {
            let read = token(&headers(&[("authorization", &value)])).unwrap_or_else(|_| panic!("refused"));
            assert_eq!(read.id(), key.id());
        }
        let with_password = STANDARD.encode(format!("{text}:secret"));
        let last = &text[..text.len() - 1];
        for value in [
            text.to_owned(),
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {last}"),
            format!("Bearer {text}{text}"),
            format!("Token {text}"),
            format!("Basic {text}"),
            format!("Basic {with_password}"),
            format!("Bearer {}", "a".repeat(600)),
        ] {
            let refusal = token(&headers(&[("authorization", &value)])).err().unwrap();
            assert!(!format!("{refusal:?}").contains(last), "{value}");
        }
        assert!(token(&HeaderMap::new()).is_err());
        let bearer = format!("Bearer {text}");
        assert!(token(&headers(&[("authorization", &bearer), ("authorization", &bearer)])).is_err());
    }

    #[test]
    fn one_account_or_none() {
        assert_eq!(account(&headers(&[])).unwrap(), None);
        let one = account(&headers(&[("stripe-account", "acct_1")])).unwrap().unwrap();
        assert_eq!(one.as_str(), "acct_1");
        for bad in [
            vec![("stripe-account", "")],
            vec![("stripe-account", "cus_1")],
            vec![("stripe-account", "acct_1"), ("stripe-account", "acct_2")],
            vec![("stripe-context", "acct_1")],
            vec![("stripe-account", "acct_1"), ("stripe-context", "acct_1")],
        ] {
            assert!(account(&headers(&bad)).is_err(), "{bad:?}");
        }
    }
}
