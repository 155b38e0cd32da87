use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs).unwrap()
}

fn scope() -> Scope {
    "live/acct_1".parse().unwrap()
}

/// Tokens of second 0, renewed three times.
fn row() -> TokenRow {
    TokenRow {
        state: ConnectionState::Active,
        credential: Credential::App,
        attempt: "att_1".into(),
        version: 3,
        tokens_at: Some(at(0)),
        refreshed_by: None,
        fence: 3,
        lease: None,
        open: None,
        doubt: false,
    }
}

fn plan(row: &TokenRow, secs: i64) -> Plan {
    row.plan(&scope(), None, at(secs))
}

#[test]
fn tokens_are_renewed_about_half_way_and_well_before_they_are_not_used_any_more() {
    assert_eq!(plan(&row(), HALF_LIFE_SECS - JITTER_SECS - 1), Plan::Fresh);
    assert_eq!(plan(&row(), HALF_LIFE_SECS + JITTER_SECS), Plan::Begin);
    let ages: std::collections::BTreeSet<i64> =
        (0..200).map(|version| TokenRow { version, ..row() }.due_after(&scope())).collect();
    assert!(ages.len() > 100, "{} ages of 200", ages.len());
    assert!(ages.iter().all(|age| (HALF_LIFE_SECS - JITTER_SECS..HALF_LIFE_SECS + JITTER_SECS).contains(age)));
    // Rows of a program that did not write when the tokens were asked for.
    assert_eq!(plan(&TokenRow { tokens_at: None, ..row() }, 0), Plan::Begin);
}

#[test]
fn what_is_not_active_is_never_renewed() {
    for state in [ConnectionState::Revoked, ConnectionState::ReauthRequired] {
        let open = Some(("k".into(), at(0)));
        let row = TokenRow { state, open, doubt: true, ..row() };
        assert_eq!(row.plan(&scope(), Some("att_1#3"), at(100_000)), Plan::NotActive(state));
    }
}

#[test]
fn only_the_generation_that_stripe_refused_is_renewed_early() {
    let refused = |refused: &str, secs| row().plan(&scope(), Some(refused), at(secs));
    assert_eq!(refused("att_1#3", LEAST_SECS), Plan::Begin);
    assert_eq!(refused("att_1#3", LEAST_SECS - 1), Plan::Fresh);
    for other in ["att_1#2", "att_1#4", "att_2#3", "", "3"] {
        assert_eq!(refused(other, LEAST_SECS), Plan::Fresh, "{other}");
    }
}

#[test]
fn a_lease_is_respected_until_it_ends() {
    let held = TokenRow { lease: Some(("l".into(), 5_000)), ..row() };
    assert_eq!(plan(&held, 4_999), Plan::Wait);
    assert_eq!(plan(&held, 5_000), Plan::Begin);
    assert!(held.is_held_by("l") && !held.is_held_by("m"));
}

#[test]
fn a_lost_answer_is_asked_for_again_at_once_and_within_23_hours_only() {
    let open = TokenRow { open: Some(("k".into(), at(10))), ..row() };
    assert_eq!(plan(&open, 11), Plan::Resume("k".into(), at(10)));
    assert_eq!(plan(&open, 10 + KEY_SECS - 1), Plan::Resume("k".into(), at(10)));
    assert_eq!(plan(&open, 10 + KEY_SECS), Plan::Begin);
    assert_eq!(plan(&TokenRow { doubt: true, ..row() }, 11), Plan::Begin);
}

#[test]
fn a_restricted_key_is_never_renewed_and_looked_at_only_when_stripe_refused_it() {
    let row = TokenRow { credential: Credential::RestrictedKey, ..row() };
    let far = at(i64::from(u32::MAX));
    let generation = format!("{}#{}", row.attempt, row.version);
    assert_eq!(row.plan(&scope(), None, far), Plan::Fresh);
    assert_eq!(row.plan(&scope(), Some("att_other#0"), far), Plan::Fresh);
    assert_eq!(row.plan(&scope(), Some(&generation), far), Plan::Check);
    let ended = TokenRow { state: ConnectionState::ReauthRequired, ..row };
    assert_eq!(ended.plan(&scope(), Some(&generation), far), Plan::NotActive(ConnectionState::ReauthRequired));
}
