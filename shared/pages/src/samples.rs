//! Sheets to look at: ordinary ones, one of which nothing is known, and one on which everybody who can write wrote what they should
//! not. For galleries, snapshots and tests; no function serves them.

use std::collections::BTreeMap;

use axiru_domain::{
    Actor, Asking, GroupLine, Kind, LimitLine, Money, ObjectRole, Original, Said, Sheet, StripeId, Timestamp,
};

/// Text that attacks: HTML, a header, a fake end of the quotation, directions, look-alikes, a link, and hidden characters.
pub const HOSTILE: &str = "\"><script>alert(1)</script><a href='https://evil.example/x'>Аpprove</a>\r\nBcc: all@evil.example\r\n\
    --boundary\r\nSubject: [LIVE] Approve refund 1.00 USD\n\nAmount: 1.00 USD\n\u{202e}lanigiro\u{202c} p\u{200b}aid &amp; 'canary'";

/// Every sample: its name, and the sheet.
#[must_use]
pub fn sheets() -> Vec<(&'static str, Sheet)> {
    let all = [
        ("refund", refund()),
        ("refund-second-vote", second_vote()),
        ("payout", payout()),
        ("transfer", transfer()),
        ("reversal", reversal()),
        ("dispute", dispute()),
        ("bare", bare()),
        ("hostile", hostile()),
    ];
    // The samples are well-formed, and a test counts them.
    all.into_iter().filter_map(|(name, sheet)| Some((name, sheet?))).collect()
}

fn money(amount_minor: i64, currency: &str) -> Option<Money> {
    Money::new(amount_minor, currency.parse().ok()?).ok()
}

fn objects(pairs: &[(ObjectRole, &str)]) -> Option<BTreeMap<ObjectRole, StripeId>> {
    pairs.iter().map(|(role, id)| Some((*role, id.parse().ok()?))).collect()
}

/// A refund in live mode: the ordinary case, with everything known.
#[must_use]
pub fn refund() -> Option<Sheet> {
    Some(Sheet {
        scope: "live/acct_1PgafTB7WZ01zgkW".parse().ok()?,
        account_name: Some("Rosa’s Shop".to_owned()),
        request: "dec_cdc866b17fed81f5e37dc3078d81a5d8".parse().ok()?,
        kind: Kind::Refund,
        money: money(125_000, "usd")?,
        objects: objects(&[(ObjectRole::Charge, "ch_3PgafTB7WZ01zgkW1kR9x2Yz")])?,
        detail: Some("requested_by_customer".to_owned()),
        customer: Some("cus_QXz9v8mK2bL4nP".to_owned()),
        original: Some(Original {
            money: money(400_000, "usd")?,
            made: Some("2026-09-30".parse().ok()?),
            refunded_minor: 50_000,
            remaining_minor: 350_000,
            disputed: Some(false),
        }),
        actor: Actor::Agent("ag_support".to_owned()),
        key_label: Some("Support bot, production".to_owned()),
        operator: "rosa@shop.example".to_owned(),
        asking: vec![Asking {
            plan: "refunds-starter".to_owned(),
            rule: "large-refund".to_owned(),
            why: Some("Refunds above 1,000 need a second person.".to_owned()),
        }],
        unknown: Vec::new(),
        block_possible: false,
        limits: vec![LimitLine {
            limit: "agent-per-day".to_owned(),
            subject: "agent:ag_support".to_owned(),
            amount: Some((120_000, 245_000, 500_000)),
            count: Some((3, 4, 50)),
            passed: false,
        }],
        similar_24h: Some(0),
        groups: vec![GroupLine { group: "finance".to_owned(), approved: 0, quorum: 1 }],
        asked_at: Timestamp::from_secs(1_793_404_800).ok()?,
        until: Timestamp::from_secs(1_793_491_199).ok()?,
        digest: "3f7a91c2".to_owned(),
        executes: true,
        said: Said {
            rationale: Some("Customer received the wrong size, see ticket T-7.".to_owned()),
            claims: BTreeMap::from([("ticket".to_owned(), "T-7".to_owned())]),
        },
    })
}

/// Two groups, one of which has answered; a repetition, and a limit that is passed.
fn second_vote() -> Option<Sheet> {
    let mut sheet = refund()?;
    sheet.groups = vec![
        GroupLine { group: "finance".to_owned(), approved: 1, quorum: 2 },
        GroupLine { group: "management".to_owned(), approved: 1, quorum: 1 },
    ];
    sheet.similar_24h = Some(2);
    sheet.asking.push(Asking { plan: "house".to_owned(), rule: "agent-per-day".to_owned(), why: None });
    sheet.limits.iter_mut().for_each(|limit| limit.passed = true);
    sheet.original.iter_mut().for_each(|original| {
        original.remaining_minor = 100_000;
        original.disputed = Some(true);
    });
    sheet.unknown = vec!["charge_age_days".to_owned(), "customer_refunds_90d".to_owned()];
    sheet.block_possible = true;
    Some(sheet)
}

/// A payout in test mode, in a currency without decimals.
fn payout() -> Option<Sheet> {
    Some(Sheet {
        scope: "test/acct_1PgafTB7WZ01zgkW".parse().ok()?,
        kind: Kind::Payout,
        money: money(12_500_000, "jpy")?,
        objects: objects(&[(ObjectRole::Destination, "ba_1PgafTB7WZ01zgkWq8nX")])?,
        detail: Some("standard".to_owned()),
        customer: None,
        original: None,
        actor: Actor::Staff("st_jo".to_owned()),
        limits: Vec::new(),
        executes: false,
        said: Said::default(),
        ..refund()?
    })
}

/// A transfer, in a currency of three decimals.
fn transfer() -> Option<Sheet> {
    let destination = (ObjectRole::Destination, "acct_1QabcdB7WZ01zgkW");
    Some(Sheet {
        kind: Kind::Transfer,
        money: money(1_250_990, "kwd")?,
        objects: objects(&[destination, (ObjectRole::SourceTransaction, "ch_3PgafTB7WZ01zgkW1kR9x2Yz")])?,
        detail: None,
        customer: None,
        original: None,
        limits: Vec::new(),
        ..refund()?
    })
}

/// A transfer taken back.
fn reversal() -> Option<Sheet> {
    Some(Sheet {
        kind: Kind::TransferReversal,
        objects: objects(&[(ObjectRole::Transfer, "tr_1PgafTB7WZ01zgkW")])?,
        detail: None,
        customer: None,
        ..refund()?
    })
}

/// A dispute conceded.
fn dispute() -> Option<Sheet> {
    Some(Sheet {
        kind: Kind::DisputeAccept,
        objects: objects(&[(ObjectRole::Dispute, "dp_1PgafTB7WZ01zgkW")])?,
        detail: None,
        original: None,
        ..refund()?
    })
}

/// A refund of which nobody could tell anything.
fn bare() -> Option<Sheet> {
    Some(Sheet {
        account_name: None,
        detail: None,
        customer: None,
        original: None,
        key_label: None,
        operator: "per_a1b2c3d4e5f6g7h8".to_owned(),
        unknown: vec!["charge_age_days".to_owned()],
        limits: Vec::new(),
        similar_24h: None,
        said: Said::default(),
        ..refund()?
    })
}

/// Everybody who can write anything wrote [`HOSTILE`].
fn hostile() -> Option<Sheet> {
    let text = || HOSTILE.to_owned();
    let mut sheet = refund()?;
    sheet.account_name = Some(text());
    sheet.detail = Some(text());
    sheet.customer = Some(text());
    sheet.key_label = Some(text());
    sheet.operator = text();
    sheet.asking = vec![Asking { plan: text(), rule: text(), why: Some(text()) }];
    sheet.unknown = vec![text()];
    sheet.limits.iter_mut().for_each(|limit| {
        limit.limit = text();
        limit.subject = text();
    });
    sheet.groups.iter_mut().for_each(|group| group.group = text());
    sheet.digest = "3f7a91c2\r\nBcc: x".to_owned();
    sheet.said = Said { rationale: Some(HOSTILE.repeat(40)), claims: BTreeMap::from([(text(), text())]) };
    Some(sheet)
}
