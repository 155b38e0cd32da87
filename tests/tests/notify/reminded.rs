//! Reminders: to those who have not answered, when half of the time is over.

use axiru_domain::Choice;

use super::ground::{ANNA, ANNAS, BEN, BENS, OWEN, Post, link_of, pass};
use crate::played::badge;

#[tokio::test(start_paused = true)]
async fn who_has_not_answered_is_reminded_once_in_a_request_of_two_hours() {
    let post = Post::new().await;
    post.room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    let link = post.room.link(&id, ANNA).await;
    post.room.answer(&link, Choice::Approve).await.unwrap();
    pass(3_590).await;
    post.run().await.unwrap();
    assert_eq!(post.mails().len(), 2, "not before the half");
    pass(20).await;
    post.run().await.unwrap();
    post.run().await.unwrap();
    pass(1_800).await;
    post.run().await.unwrap();
    assert_eq!(post.mails_to(ANNAS).len(), 1, "she has answered");
    let mails = post.mails_to(BENS);
    assert_eq!(mails.len(), 2, "{:?}", post.subjects(BENS));
    assert!(mails[1].subject.starts_with(&format!("[{}] Reminder: approve refund", badge())), "{}", mails[1].subject);
    // The reminder's link is another one, and both open.
    assert_ne!(link_of(&mails[0]), link_of(&mails[1]));
    for mail in &mails {
        let token = link_of(mail).rsplit('/').next().unwrap().parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(post.room.open(&token).await.unwrap().person.as_str(), BEN);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_never_asked_is_asked_and_not_reminded() {
    let post = Post::new().await;
    post.held("k1").await;
    pass(4_000).await;
    // The first run of all comes late: it asks, and does not remind in the same breath.
    post.run().await.unwrap();
    let subjects = post.subjects(ANNAS);
    assert!(subjects[0].starts_with(&format!("[{}] Approve", badge())), "{subjects:?}");
    assert_eq!(subjects.iter().filter(|subject| !subject.contains("Reminder")).count(), 1);
}
