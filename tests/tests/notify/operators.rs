//! The operators' digest: one mail about everything since the last, to those who operate.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_in_process::{Fault, InProcess, Retries};

use super::ground::{ANNA, ANNAS, BEN, BENS, OWEN, OWENS, Post, pass, scope};
use crate::played::badge;

const TRANSIENT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/bounce_transient.json");

/// Anna and Ben operate, Owen does not; something happens `count` times.
async fn happened(post: &Post, reports: &[&str]) {
    let bodies: Vec<String> = reports.iter().map(|report| post.event(TRANSIENT, OWEN, OWENS, report)).collect();
    assert!(post.returned(&bodies).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn operators_get_one_mail_about_everything_and_none_about_nothing() {
    let post = Post::new().await;
    post.room.put_group("operators", &[ANNA, BEN], None, 1).await;
    post.run().await.unwrap();
    assert!(post.mails().is_empty(), "nothing happened");
    happened(&post, &["r-1", "r-2"]).await;
    post.run().await.unwrap();
    post.run().await.unwrap();
    for address in [ANNAS, BENS] {
        let mails = post.mails_to(address);
        assert_eq!(mails.len(), 1);
        assert!(
            mails[0].subject.starts_with(&format!("[{}] Axiru: 2 things happened in ", badge())),
            "{}",
            mails[0].subject
        );
        assert_eq!(mails[0].text.matches("mail returned").count(), 2, "{}", mails[0].text);
        assert_eq!(mails[0].tags["request"], "none");
        assert!(!mails[0].text.contains(OWENS), "ids only");
    }
    assert!(post.mails_to(OWENS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_the_group_is_empty_whoever_can_operate_is_told() {
    let post = Post::new().await;
    happened(&post, &["r-1"]).await;
    post.run().await.unwrap();
    assert!(post.mails().is_empty(), "nobody has a principal: nobody is told");
    post.room
        .ground
        .put(&[
            ("pk", AttributeValue::S(format!("{}#persons", scope().key()))),
            ("sk", AttributeValue::S(BEN.to_owned())),
            ("emails", AttributeValue::Ss(vec![BENS.to_owned()])),
            ("principals", AttributeValue::Ss(vec!["arn:aws:iam::000000000000:user/ben".to_owned()])),
            ("created_at", AttributeValue::S("2026-10-01T00:00:00.000Z".to_owned())),
            ("version", AttributeValue::N("2".to_owned())),
        ])
        .await;
    happened(&post, &["r-2"]).await;
    post.run().await.unwrap();
    assert_eq!((post.mails_to(BENS).len(), post.mails().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn between_two_digests_a_quarter_of_an_hour_passes() {
    let post = Post::with(InProcess::new().unwrap(), Retries::Off, 15).await;
    post.room.put_group("operators", &[ANNA], None, 1).await;
    happened(&post, &["r-1"]).await;
    post.run().await.unwrap();
    happened(&post, &["r-2"]).await;
    post.run().await.unwrap();
    assert_eq!(post.mails().len(), 1);
    pass(15 * 60).await;
    post.run().await.unwrap();
    let mails = post.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].text.matches("mail returned").count(), 1, "what was told is not told again");
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_breaks_off_goes_on_with_the_same_content() {
    let post = Post::new().await;
    post.room.put_group("operators", &[ANNA, BEN], None, 1).await;
    happened(&post, &["r-1"]).await;
    let faults = post.room.ground.account.faults();
    let mut sent = 0;
    // The second mail fails.
    faults.decide(move |call| {
        sent += usize::from(call.operation == "SendEmail");
        (call.operation == "SendEmail" && sent == 2).then_some(Fault::Fail)
    });
    assert!(post.run().await.is_err());
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (1, 0));
    faults.clear();
    happened(&post, &["r-2"]).await;
    post.run().await.unwrap();
    let bens = post.mails_to(BENS);
    assert_eq!((post.mails_to(ANNAS).len(), bens.len()), (1, 1), "nobody gets it twice");
    assert_eq!(bens[0].text, post.mails_to(ANNAS)[0].text, "and both the same");
    post.run().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (2, 2), "then what came later");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_can_approve_is_told() {
    let post = Post::new().await;
    post.room.put_group("operators", &[ANNA], None, 1).await;
    // Owen asks, and is the only one of the group.
    post.room.put_group("finance", &[OWEN], None, 2).await;
    let id = post.held("k1").await;
    post.run().await.unwrap();
    let mails = post.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("approval requested") && mails[0].text.contains(id.as_str()), "{}", mails[0].text);
}
