//! Mails that come back: noted once, and an address that takes none is left alone until it is repaired.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::mail::Silence;
use axiru_domain::{Actor, LogId};
use axiru_in_process::Fault;
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::json;

use super::ground::{ANNA, ANNAS, BEN, BENS, Post, person, scope};
use crate::approvals::ground::now;

const PERMANENT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/bounce_permanent.json");
const TRANSIENT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/bounce_transient.json");
const COMPLAINT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/complaint.json");
const REJECT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/reject.json");
const DELAY: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/delivery_delay.json");
const FOREIGN: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/foreign.json");

#[tokio::test(start_paused = true)]
async fn a_permanent_bounce_is_noted_once_and_silences_the_address() {
    let post = Post::new().await;
    let bounce = post.event(PERMANENT, ANNA, "Anna@shop.example", "r-1");
    for _ in 0..3 {
        assert!(post.returned(&[bounce.clone(), bounce.clone()]).await.is_empty());
    }
    let noted = post.told("mail.returned").await;
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].fields()["kind_of_return"], "bounce_permanent");
    assert_eq!(noted[0].fields()["report"], "r-1");
    let silenced = post.room.store().silenced(&scope()).await.unwrap();
    assert_eq!(silenced[&person(ANNA)].last.map(|(why, _)| why), Some(Silence::Bounced));
    assert!(silenced[&person(ANNA)].covers(&scope(), ANNAS));
    assert!(!silenced[&person(ANNA)].covers(&scope(), BENS));
    post.held("k1").await;
    post.ring().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (0, 1));
    // No address in what was stored because of it.
    let rows = post.room.ground.account.items(axiru_in_process::STATE_TABLE).unwrap();
    let own = rows
        .iter()
        .filter(|row| format!("{:?}", row["pk"]).contains("#mail\"") || format!("{row:?}").contains("#returned#"));
    let own: Vec<String> = own.map(|row| format!("{row:?}")).collect();
    assert!(own.len() >= 2 && own.iter().all(|row| !row.contains('@')), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn another_address_of_the_person_is_mailed_and_a_repaired_one_again() {
    let post = Post::new().await;
    post.returned(&[post.event(COMPLAINT, ANNA, ANNAS, "r-1")]).await;
    let emails = AttributeValue::Ss(vec![ANNAS.to_owned(), "anna@home.example".to_owned()]);
    post.room
        .ground
        .put(&[
            ("pk", AttributeValue::S(format!("{}#persons", scope().key()))),
            ("sk", AttributeValue::S(ANNA.to_owned())),
            ("emails", emails),
            ("created_at", AttributeValue::S("2026-10-01T00:00:00.000Z".to_owned())),
            ("version", AttributeValue::N("2".to_owned())),
        ])
        .await;
    post.held("k1").await;
    post.ring().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to("anna@home.example").len()), (0, 1));
    // Operators have repaired it: taking an address away, or adding one, is an entry.
    let log = LogId::from_key(&format!("{}#0", scope().key())).unwrap();
    let fields = json!({"change": "chg_1", "person": ANNA, "alias": "address", "added": true, "principal": null, "addresses": 2});
    let draft = Draft {
        log: log.clone(),
        actor: Actor::Axiru,
        ty: EntryType::PersonAliasChanged,
        fields: fields.as_object().unwrap().clone(),
    };
    let plan = || {
        let draft = draft.clone();
        async move {
            Ok::<_, axiru_aws::ledger::CommitError>(axiru_aws::ledger::Writes { drafts: vec![draft], rows: Vec::new() })
        }
    };
    post.room.store().commit(&log, now, plan).await.unwrap();
    post.ring().await.unwrap();
    assert!(post.room.store().silenced(&scope()).await.unwrap().is_empty());
    post.room.held("k2", 30_000).await;
    post.ring().await.unwrap();
    let mailed = post.mails_to(ANNAS).len() + post.mails_to("anna@home.example").len();
    assert_eq!(mailed, 2, "at the first of her addresses");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_verdict_on_an_address_silences_nobody() {
    let post = Post::new().await;
    let bodies = [
        post.event(TRANSIENT, ANNA, ANNAS, "r-1"),
        post.event(REJECT, BEN, BENS, ""),
        post.event(DELAY, BEN, BENS, ""),
    ];
    assert!(post.returned(&bodies).await.is_empty());
    let kinds: Vec<String> = post
        .told("mail.returned")
        .await
        .iter()
        .map(|entry| entry.fields()["kind_of_return"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["bounce_transient", "reject"], "a delay is no return");
    assert!(post.room.store().silenced(&scope()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn strangers_leave_nothing_and_what_cannot_be_read_comes_back_alone() {
    let post = Post::new().await;
    post.room.ground.account.any_scope();
    let before = post.entries().await.len();
    let stranger = post.event(PERMANENT, "per_strangerstranger", "x@shop.example", "r-1");
    let elsewhere = post.event(PERMANENT, ANNA, ANNAS, "r-2").replace(scope().account().as_str(), "acct_elsewhere");
    let bodies = [
        FOREIGN.to_owned(),
        stranger,
        "{".to_owned(),
        elsewhere,
        post.event(PERMANENT, ANNA, ANNAS, "r-3"),
        String::new(),
    ];
    assert_eq!(post.returned(&bodies).await, ["m2", "m5"]);
    assert_eq!(post.entries().await.len(), before + 1, "only what is about somebody");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_down_gives_the_message_back() {
    let post = Post::new().await;
    let bounce = post.event(PERMANENT, ANNA, ANNAS, "r-1");
    post.room.ground.account.faults().always("TransactWriteItems", Fault::Fail);
    assert_eq!(post.returned(std::slice::from_ref(&bounce)).await, ["m0"]);
    post.room.ground.account.faults().clear();
    assert!(post.returned(&[bounce]).await.is_empty());
    assert_eq!(post.told("mail.returned").await.len(), 1);
}
