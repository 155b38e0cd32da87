//! The end: told once to everybody who was mailed about it.

use axiru_domain::Choice;

use super::ground::{ANNA, ANNAS, BEN, BENS, OWEN, OWENS, Post, pass};
use crate::played::badge;

#[tokio::test(start_paused = true)]
async fn a_denial_is_told_to_everybody_who_was_asked() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    let link = post.room.link(&id, ANNA).await;
    post.room.answer(&link, Choice::Deny).await.unwrap();
    for _ in 0..3 {
        post.ring().await.unwrap();
    }
    for address in [ANNAS, BENS] {
        let mails = post.mails_to(address);
        assert_eq!(mails.len(), 2, "{:?}", post.subjects(address));
        let ended = &mails[1];
        assert!(ended.subject.starts_with(&format!("[{}] Denied: ", badge())), "{}", ended.subject);
        assert!(ended.text.contains("Denied by anna@shop.example"), "{}", ended.text);
        assert!(!ended.text.contains("https://") && !ended.html.contains("href"), "no link in it");
    }
    assert!(post.mails_to(OWENS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_approved_and_made_is_told_and_the_approval_alone_is_not() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    let link = post.room.link(&id, BEN).await;
    post.room.answer(&link, Choice::Approve).await.unwrap();
    post.ring().await.unwrap();
    assert_eq!(post.mails().len(), 2);
    assert_eq!(post.room.work(&id).await, 0);
    post.ring().await.unwrap();
    post.run().await.unwrap();
    let made = post.room.ground.made_refunds();
    for address in [ANNAS, BENS] {
        let mails = post.mails_to(address);
        assert_eq!(mails.len(), 2, "{:?}", post.subjects(address));
        assert!(mails[1].subject.starts_with(&format!("[{}] Made: ", badge())), "{}", mails[1].subject);
        assert!(mails[1].text.contains(made[0]["id"].as_str().unwrap()), "{}", mails[1].text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_answered_in_time_is_told_as_expired() {
    let post = Post::new().await;
    post.held("k1").await;
    post.ring().await.unwrap();
    pass(2 * 3_600).await;
    post.room.ground.sweep().await.unwrap();
    post.ring().await.unwrap();
    for address in [ANNAS, BENS] {
        let subjects = post.subjects(address);
        assert!(subjects.len() == 2 && subjects[1].starts_with(&format!("[{}] Expired: ", badge())), "{subjects:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_left_hears_nothing_more() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    post.room.put_group("finance", &[BEN, OWEN], None, 2).await;
    let link = post.room.link(&id, BEN).await;
    post.room.answer(&link, Choice::Deny).await.unwrap();
    post.ring().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (1, 2));
}
