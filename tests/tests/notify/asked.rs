//! Asking: one mail to each approver, with a link of their own.

use axiru_domain::{Choice, RequestStatus};
use axiru_in_process::{Fault, Service};

use super::ground::{ANNA, ANNAS, BEN, BENS, OWEN, OWENS, Post, link_of, scope};
use crate::played::badge;

#[tokio::test(start_paused = true)]
async fn each_approver_gets_one_mail_with_a_link_that_opens_as_theirs() {
    let post = Post::new().await;
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    assert_eq!(post.mails().len(), 2);
    assert!(post.mails_to(OWENS).is_empty(), "whoever asks is not asked");
    for (who, address) in [(ANNA, ANNAS), (BEN, BENS)] {
        let mails = post.mails_to(address);
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        let digest = post.room.read(&id).await.digest();
        assert!(mail.subject.starts_with(&format!("[{}] Approve refund 200.00 USD", badge())), "{}", mail.subject);
        assert!(mail.text.replace(' ', "").contains(&digest) || mail.text.contains(&digest), "{}", mail.text);
        assert_eq!((mail.tags["person"].as_str(), mail.tags["request"].as_str()), (who, id.as_str()));
        let link = link_of(mail);
        let token = link.strip_prefix("https://axiru.test/approvals/").unwrap();
        assert_eq!(token.len(), 64, "{link}");
        let token = token.parse().unwrap_or_else(|error| panic!("{error}"));
        let opened = post.room.open(&token).await.unwrap();
        assert_eq!((opened.person.as_str(), opened.held.id()), (who, &id));
        assert!(mail.html.contains(&link), "the same link in both parts");
    }
    // Rung again, run again, restarted: nobody hears of it twice.
    post.ring().await.unwrap();
    post.run().await.unwrap();
    post.restarted(0).run().await.unwrap();
    assert_eq!(post.mails().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_left_is_not_mailed_and_nobody_is_about_what_has_ended() {
    let post = Post::new().await;
    post.held("k1").await;
    post.room.put_group("finance", &[BEN, OWEN], None, 2).await;
    post.ring().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (0, 1));
    let ended = post.room.held("k2", 30_000).await;
    let link = post.room.link(&ended, BEN).await;
    post.room.answer(&link, Choice::Deny).await.unwrap();
    assert_eq!(post.room.read(&ended).await.status(), RequestStatus::Denied);
    post.run().await.unwrap();
    // Neither the asking nor, as nobody was asked by mail, the end.
    assert_eq!(post.mails().len(), 1, "{:?}", post.subjects(BENS));
}

#[tokio::test(start_paused = true)]
async fn what_ses_refuses_for_good_is_noted_and_holds_nobody_else_back() {
    let post = Post::new().await;
    post.room.ground.account.refuse_mail_to(ANNAS);
    let id = post.held("k1").await;
    post.ring().await.unwrap();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (0, 1));
    let noted = post.told("mail.returned").await;
    assert_eq!(noted.len(), 1);
    let fields = noted[0].fields();
    assert_eq!((&fields["person"], &fields["kind_of_return"]), (&ANNA.into(), &"refused".into()));
    assert_eq!(fields["request"], id.as_str());
    let calls = post.room.ground.account.calls().of(Service::Ses).len();
    post.ring().await.unwrap();
    post.run().await.unwrap();
    assert_eq!(post.room.ground.account.calls().of(Service::Ses).len(), calls, "it is not tried again");
    assert_eq!(post.told("mail.returned").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_ses_is_down_nothing_is_lost() {
    let post = Post::new().await;
    let faults = post.room.ground.account.faults();
    for fault in [Fault::Fail, Fault::Throttle, Fault::Reset] {
        faults.clear();
        faults.always("SendEmail", fault);
        post.held(&format!("k-{fault}")).await;
        assert!(post.ring().await.is_err(), "{fault}");
        assert!(post.run().await.is_err(), "{fault}");
    }
    assert!(post.mails().is_empty());
    faults.clear();
    post.ring().await.unwrap();
    // Equal requests that are open at once are held one by one.
    let asked = post.told("approval.requested").await.len();
    assert_eq!((post.mails_to(ANNAS).len(), post.mails_to(BENS).len()), (asked, asked));
    assert!(asked > 0);
    let log = axiru_domain::LogId::from_key(&format!("{}#0", scope().key())).unwrap();
    let cursor = post.room.store().cursor(&log).await.unwrap();
    assert_eq!(cursor.next, u64::try_from(post.entries().await.len()).unwrap());
}
