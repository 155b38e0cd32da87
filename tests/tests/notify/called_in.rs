//! Links that were called in: whoever has not answered gets another, once, and the old ones open nothing.

use axiru_aws::admin::Act;
use axiru_aws::admin::links::Links;
use axiru_aws::connect::operator::Operator;
use axiru_domain::{Choice, RequestId};
use axiru_in_process::{Enumerator, InProcess, Retries};

use super::ground::{ANNA, ANNAS, BEN, BENS, OWENS, Post, link_of, pass, person, scope};
use crate::approvals::ground::now;

/// Calls links in as an operator does.
async fn call_in(post: &Post, number: u32, links: &Links) {
    let act = Act {
        scope: scope(),
        change: format!("chg_{number:032x}").parse().unwrap(),
        digest: format!("{number:064x}"),
        operator: Operator::new("test", "arn:aws:iam::111122223333:user/rosa").unwrap(),
    };
    post.room.store().revoke_links(&act, links, "forwarded to a list", now).await.unwrap();
}

/// Whether the link of a mail opens.
async fn opens(post: &Post, address: &str, mail: usize) -> bool {
    let mails = post.mails_to(address);
    let token = link_of(&mails[mail]).rsplit('/').next().unwrap().parse().unwrap_or_else(|error| panic!("{error}"));
    post.room.open(&token).await.is_ok()
}

fn counts(post: &Post) -> (usize, usize) {
    (post.mails_to(ANNAS).len(), post.mails_to(BENS).len())
}

#[tokio::test(start_paused = true)]
async fn whoever_has_to_answer_gets_another_link_at_every_width() {
    let post = Post::new().await;
    let id: RequestId = post.held("k1").await;
    post.ring().await.unwrap();
    assert_eq!(counts(&post), (1, 1));
    let annas = link_of(&post.mails_to(ANNAS)[0]);
    let annas: axiru_aws::approval::LinkToken =
        annas.rsplit('/').next().unwrap().parse().unwrap_or_else(|error| panic!("{error}"));
    let widths = [
        (Links::One(annas.id().text().parse().unwrap()), (2, 1)),
        (Links::OfPerson(person(ANNA)), (3, 1)),
        (Links::OfRequest(id.clone()), (4, 2)),
        (Links::All, (5, 3)),
    ];
    for (number, (links, expected)) in (1..).zip(widths) {
        let before = counts(&post);
        call_in(&post, number, &links).await;
        assert!(!opens(&post, ANNAS, before.0 - 1).await, "{links:?}");
        post.ring().await.unwrap();
        post.run().await.unwrap();
        post.restarted(0).run().await.unwrap();
        assert_eq!(counts(&post), expected, "{links:?}");
        assert!(opens(&post, ANNAS, expected.0 - 1).await && opens(&post, BENS, expected.1 - 1).await, "{links:?}");
    }
    assert!(post.mails_to(OWENS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_has_answered_or_left_and_what_has_ended_are_not_mailed_anew() {
    let post = Post::new().await;
    let ended = post.held("k1").await;
    let open = post.room.held("k2", 30_000).await;
    post.ring().await.unwrap();
    let link = post.room.link(&ended, BEN).await;
    post.room.answer(&link, Choice::Deny).await.unwrap();
    post.ring().await.unwrap();
    post.room.put_group("finance", &[BEN], None, 2).await;
    let before = counts(&post);
    call_in(&post, 1, &Links::All).await;
    post.run().await.unwrap();
    assert_eq!(counts(&post), (before.0, before.1 + 1));
    let newest = post.mails_to(BENS).pop().unwrap();
    assert_eq!(newest.tags["request"], open.as_str());
}

#[test]
fn every_fault_at_every_call_of_mailing_anew_is_survived() {
    Enumerator::new("notify: links called in")
        .run(
            async |account: InProcess, retries: Retries| {
                let post = Post::with(account, retries, 0).await;
                post.held("k1").await;
                post.ring().await.unwrap();
                call_in(&post, 1, &Links::All).await;
                post
            },
            async |post: &Post| post.ring().await,
            async |post: &Post| {
                let fresh = post.restarted(0);
                let _ = fresh.ring().await;
                pass(100).await;
                fresh.run().await?;
                pass(100).await;
                fresh.run().await
            },
            async |post: &Post| {
                for address in [ANNAS, BENS] {
                    let count = post.mails_to(address).len();
                    if !(2..=3).contains(&count) {
                        return Err(format!("{address} was mailed {count} times"));
                    }
                    if !opens(post, address, count - 1).await {
                        return Err(format!("the newest link of {address} does not open"));
                    }
                }
                Ok(())
            },
        )
        .unwrap_or_else(|violation| panic!("{violation}"));
}
