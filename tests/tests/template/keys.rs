//! The partition keys of the state table that roles may name (`dynamodb:LeadingKeys`).

use std::collections::BTreeSet;

use super::permissions::matrix;

/// How the matrix begins and ends a condition on partition keys. `ForAllValues` alone is true of a request that names no key, such as a
/// scan: the second condition refuses those (IAM User Guide, "Multivalued context keys").
const NAMED: &str = "  if ForAllValues:StringLike dynamodb:LeadingKeys=";
const AT_ALL: &str = ", Null dynamodb:LeadingKeys=false";

/// The key that a warm connection reads, which never is there: of no mode.
const WARM: &str = "warm";

/// Numbers of lanes: the key of a log's tip.
const LANES: [&str; 2] = ["?", "??"];

#[test]
fn whoever_touches_the_state_table_may_name_certain_kinds_of_keys_of_both_modes() {
    let mut grants = 0;
    for line in matrix().lines().filter(|line| line.contains("  StateTable  ")) {
        grants += 1;
        let keys = line.split_once(NAMED).and_then(|(_, keys)| keys.strip_suffix(AT_ALL));
        let keys = keys.unwrap_or_else(|| panic!("without its keys: {line}"));
        let of = |mode: &str| keys.split('|').filter_map(|key| key.strip_prefix(mode)).collect::<BTreeSet<_>>();
        let (test, live) = (of("test#"), of("live#"));
        assert_eq!(test, live, "not the same in both modes: {line}");
        let all = keys.split('|').filter(|key| *key != WARM).count();
        assert_eq!(all, test.len() + live.len(), "a key of no mode: {line}");
        for kind in test {
            let kind = kind.strip_prefix("acct_*#").unwrap_or(kind);
            let named = LANES.contains(&kind) || kind.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(named && !kind.starts_with("acct_"), "keys of any kind, `{kind}`: {line}");
        }
    }
    assert!(grants > 50, "{grants}");
}

#[test]
fn of_the_indexes_roles_may_ask_that_of_requests_and_no_more() {
    for line in matrix().lines().filter(|line| line.contains("  StateTable/")) {
        assert!(line.ends_with("  StateTable/index/requests  dynamodb:Query"), "{line}");
    }
}
