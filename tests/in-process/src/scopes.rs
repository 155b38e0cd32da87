//! Which scope a call is about: its partition keys, the context of what it seals or opens, the files that it names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::names;

/// The mode and account that a partition key is of: both of a scope's rows, the mode alone of a deployment's.
fn scope_of(key: &str) -> (&str, Option<&str>) {
    let mut parts = key.split('#');
    (parts.next().unwrap_or_default(), parts.next().filter(|part| part.starts_with("acct_")))
}

/// What may name both modes in one request, none of it a scope's: a link says of no mode which it is of, so its row is looked for in both; and
/// one set-up link is for both, with the operator who minted it.
const OF_BOTH_MODES: [&str; 3] = ["link", "setup_link", "operator"];

/// Whether one request is about one scope, and what belongs to all of its mode. The lists of a deployment name many scopes and no rows of theirs.
///
/// A decision is looked for by its id in the accounts of the key that asks for it: one id, one mode.
/// One role has a reason to write to two scopes at once: `ExportRole` tells in the other mode's log of the same account that a log is closed.
pub(crate) fn is_of_one_scope(role: &str, keys: &[&str]) -> bool {
    if keys.iter().all(|key| key.split('#').nth(1).is_some_and(|kind| OF_BOTH_MODES.contains(&kind))) {
        return true;
    }
    let one_request = |key: &&str| {
        let (mode, rest) = key.split_once('#')?;
        Some((mode.to_owned(), rest.split_once("#request#")?.1.to_owned()))
    };
    let requests: BTreeSet<_> = keys.iter().map(one_request).collect();
    if requests.len() == 1 && requests.iter().all(Option::is_some) {
        return true;
    }
    let mut scopes = keys.iter().map(|key| scope_of(key));
    let Some((mode, mut account)) = scopes.next() else { return true };
    scopes.all(|(other, named)| {
        let same_account = named.is_none() || account.is_none() || named == account;
        let fits = same_account && (other == mode || (role == "ExportRole" && named.is_some()));
        account = account.or(named);
        fits
    })
}

/// The one scope of a story that has no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnlyScope {
    pub(crate) mode: String,
    pub(crate) account: String,
}

impl OnlyScope {
    /// What of a call is of another scope: a partition key, an encryption context, or a file.
    pub(crate) fn foreign(&self, keys: &[&str], context: Option<&Value>, targets: &[String]) -> Option<String> {
        let of_rows = keys.iter().filter(|key| {
            let (mode, account) = scope_of(key);
            account.is_some_and(|account| (mode, account) != (self.mode.as_str(), self.account.as_str()))
        });
        let of_context = context.filter(|context| {
            let is = |name: &str, own: &str| context.get(name).and_then(Value::as_str).is_none_or(|named| named == own);
            !is("stripe:mode", &self.mode)
                || !(is("stripe:account", &self.account) || is("stripe:account", "developer"))
        });
        let own = format!("{}/v1/{}/{}/", names::EXPORT_BUCKET, self.mode, self.account);
        let of_a_mode = ["test", "live"].map(|mode| format!("{}/v1/{mode}/", names::EXPORT_BUCKET));
        let of_files = targets
            .iter()
            .filter(|target| of_a_mode.iter().any(|folder| target.starts_with(folder)) && !target.starts_with(&own));
        of_rows.map(|key| (*key).to_owned()).chain(of_context.map(Value::to_string)).chain(of_files.cloned()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_about_one_scope() {
        let one = |keys: &[&str]| is_of_one_scope("DecideRole", keys);
        assert!(one(&[]) && one(&["test#keys"]) && one(&["test#keys", "test#acct_1#plans", "test#acct_1#0"]));
        assert!(one(&["test#link#0f", "live#link#0f"]) && !one(&["test#link#0f", "live#acct_1#plans"]));
        assert!(!one(&["test#keys", "live#acct_1#plans"]) && !one(&["test#keys", "live#keys"]));
        assert!(!one(&["test#acct_1#plans", "live#acct_1#plans"]));
        assert!(!one(&["test#acct_1#plans", "test#keys", "test#acct_2#plans"]));
        assert!(one(&["test#acct_1#request#dec_1", "test#acct_2#request#dec_1"]));
        assert!(!one(&["test#acct_1#request#dec_1", "test#acct_2#request#dec_2"]));
        assert!(!one(&["test#acct_1#request#dec_1", "live#acct_1#request#dec_1"]));
        assert!(is_of_one_scope("ExportRole", &["test#acct_1#0", "live#acct_1#0"]));
        assert!(!is_of_one_scope("ExportRole", &["test#acct_1#0", "live#acct_2#0"]));
        assert!(!one(&["live#acct_1#x", "live#acct_2#0"]));
    }

    #[test]
    fn what_is_of_another_scope_than_the_only_one_is_named() {
        let only = OnlyScope { mode: "live".to_owned(), account: "acct_1".to_owned() };
        let keys = |keys: &[&str]| only.foreign(keys, None, &[]);
        assert_eq!(keys(&["live#acct_1#plans", "test#connections", "test#link#0f", "warm"]), None);
        for foreign in ["test#acct_1#notify", "live#acct_2#notify", "test#acct_1#0"] {
            assert_eq!(keys(&["live#acct_1#plans", foreign]).as_deref(), Some(foreign));
        }
        let context = |mode: &str, account: &str| {
            only.foreign(&[], Some(&serde_json::json!({"stripe:mode": mode, "stripe:account": account})), &[]).is_some()
        };
        assert!(!context("live", "acct_1") && !context("live", "developer"));
        assert!(context("test", "acct_1") && context("live", "acct_2") && context("test", "developer"));
        let file = |name: &str| only.foreign(&[], None, &[format!("{}/v1/{name}", names::EXPORT_BUCKET)]).is_some();
        assert!(!file("live/acct_1/0/checkpoint") && file("test/acct_1/0/checkpoint") && file("live/acct_12/0/x"));
        assert!(!file("log.vkey"));
    }
}
