//! New links, for who asks for one: to the address on file, and not often.

use super::ground::{ANNA, ANNAS, BEN, OWEN, Post, link_of, pass, person, scope};
use crate::approvals::ground::now;

#[tokio::test(start_paused = true)]
async fn a_new_link_goes_to_the_address_on_file_once_for_each_ask() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    let store = post.room.store();
    let ask = async || store.ask_for_link(&scope(), &id, &person(ANNA), now()).await.unwrap();
    assert!(ask().await);
    assert!(!ask().await, "not twice in ten minutes");
    post.run().await.unwrap();
    post.run().await.unwrap();
    let mails = post.mails_to(ANNAS);
    assert_eq!((mails.len(), post.mails().len()), (2, 3));
    assert_ne!(link_of(&mails[0]), link_of(&mails[1]));
    let token = link_of(&mails[1]).rsplit('/').next().unwrap().parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(post.room.open(&token).await.unwrap().person.as_str(), ANNA);
    pass(601).await;
    assert!(ask().await);
    post.run().await.unwrap();
    assert_eq!(post.mails_to(ANNAS).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_answer_gets_none() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    let store = post.room.store();
    for who in [ANNA, OWEN] {
        assert!(store.ask_for_link(&scope(), &id, &person(who), now()).await.unwrap());
    }
    post.room.put_group("finance", &[BEN, OWEN], None, 2).await;
    post.run().await.unwrap();
    assert_eq!(post.mails().len(), 2);
    assert!(store.links_wanted(&scope()).await.unwrap().is_empty(), "answered, with nothing");
}
