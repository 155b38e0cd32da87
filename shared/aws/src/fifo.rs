//! The names that FIFO queues order and compare messages by: at most 128 characters of few kinds (SQS API reference, "SendMessage"), so
//! hashes of what is meant.

use axiru_domain::Scope;

/// The line of a queue in which messages of a scope about one thing follow each other. No other scope is ever in it.
pub(crate) fn line(scope: &Scope, about: &str) -> String {
    hashed(&format!("{scope}\n{about}"))
}

/// What makes two messages of five minutes the same.
pub(crate) fn sameness(text: &str) -> String {
    hashed(text)
}

fn hashed(text: &str) -> String {
    axiru_ledger::hash::Hash::of(text.as_bytes()).to_string().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_lines_of_its_own() {
        let of = |scope: &str, about: &str| line(&scope.parse().unwrap(), about);
        let first = of("live/acct_1", "ch_1");
        assert_eq!((first.as_str(), first.len()), (of("live/acct_1", "ch_1").as_str(), 40));
        assert!(first.bytes().all(|b| b.is_ascii_hexdigit()));
        for other in [of("test/acct_1", "ch_1"), of("live/acct_2", "ch_1"), of("live/acct_1", "ch_2")] {
            assert_ne!(first, other);
        }
    }
}
