//! Every fault at every call of `notify`: everybody who was asked hears of it, hardly anybody twice, nobody else at all.

use axiru_domain::{Choice, LogId};
use axiru_in_process::{Enumerator, InProcess, Retries};

use super::ground::{ANNA, ANNAS, BEN, BENS, OWENS, Post, pass, scope};

const PERMANENT: &str = include_str!("../../../shared/aws/src/mail/event/fixtures/bounce_permanent.json");

/// The next runs after a fault: at once, and after the lease of a process that has died.
async fn recover(post: &Post) -> Result<(), String> {
    let fresh = post.restarted(0);
    // A doorbell may find another process at it; the schedule does not give up.
    let _ = fresh.ring().await;
    pass(100).await;
    fresh.run().await?;
    pass(100).await;
    fresh.run().await
}

/// At least once, at most as often as one fault and the SDK's own retry can make it.
fn heard(post: &Post, address: &str, begins: &str) -> Result<(), String> {
    let count = post.subjects(address).iter().filter(|subject| subject.contains(begins)).count();
    if (1..=2).contains(&count) { Ok(()) } else { Err(format!("{address} heard `{begins}` {count} times")) }
}

/// Nobody else was mailed, and the cursor stands behind the last entry.
async fn settled(post: &Post) -> Result<(), String> {
    let strangers: Vec<String> =
        post.mails().into_iter().flat_map(|mail| mail.to).filter(|to| to != ANNAS && to != BENS).collect();
    if !strangers.is_empty() || !post.mails_to(OWENS).is_empty() {
        return Err(format!("mailed {strangers:?}"));
    }
    let log = LogId::from_key(&format!("{}#0", scope().key())).unwrap();
    let next = post.room.store().cursor(&log).await.map_err(|error| error.to_string())?.next;
    let entries = u64::try_from(post.entries().await.len()).unwrap();
    if next == entries { Ok(()) } else { Err(format!("the cursor is at {next} of {entries}")) }
}

#[test]
fn every_fault_at_every_call_of_asking_is_survived() {
    Enumerator::new("notify: asking")
        .run(
            async |account: InProcess, retries: Retries| {
                let post = Post::with(account, retries, 0).await;
                post.held("k1").await;
                post
            },
            async |post: &Post| post.ring().await,
            async |post: &Post| recover(post).await,
            async |post: &Post| {
                heard(post, ANNAS, "Approve refund")?;
                heard(post, BENS, "Approve refund")?;
                settled(post).await
            },
        )
        .unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn every_fault_at_every_call_of_telling_the_end_is_survived() {
    Enumerator::new("notify: telling the end")
        .run(
            async |account: InProcess, retries: Retries| {
                let post = Post::with(account, retries, 0).await;
                let id = post.held("k1").await;
                post.ring().await.unwrap();
                let link = post.room.link(&id, BEN).await;
                post.room.answer(&link, Choice::Deny).await.unwrap();
                post
            },
            async |post: &Post| post.ring().await,
            async |post: &Post| recover(post).await,
            async |post: &Post| {
                heard(post, ANNAS, "Denied:")?;
                heard(post, BENS, "Denied:")?;
                for address in [ANNAS, BENS] {
                    let asked = post.subjects(address).iter().filter(|subject| subject.contains("Approve")).count();
                    if asked != 1 {
                        return Err(format!("{address} was asked {asked} times"));
                    }
                }
                settled(post).await
            },
        )
        .unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn every_fault_at_every_call_of_a_scheduled_run_is_survived() {
    Enumerator::new("notify: a scheduled run with a reminder, a new link and a digest")
        .run(
            async |account: InProcess, retries: Retries| {
                let post = Post::with(account, retries, 0).await;
                post.room.put_group("operators", &[ANNA], None, 1).await;
                let id = post.held("k1").await;
                post.ring().await.unwrap();
                let asks = post.room.store();
                asks.ask_for_link(&scope(), &id, &super::ground::person(BEN), crate::approvals::ground::now())
                    .await
                    .unwrap();
                pass(3_700).await;
                let transient = PERMANENT.replace("\"Permanent\"", "\"Transient\"");
                post.returned(&[post.event(&transient, BEN, BENS, "r-1")]).await;
                post
            },
            async |post: &Post| post.run().await,
            async |post: &Post| recover(post).await,
            async |post: &Post| {
                heard(post, ANNAS, "Reminder:")?;
                heard(post, BENS, "Reminder:")?;
                heard(post, ANNAS, "things happened").or_else(|_| heard(post, ANNAS, "thing happened"))?;
                settled(post).await
            },
        )
        .unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn every_fault_at_every_call_of_noting_a_return_is_survived() {
    Enumerator::new("notify: a mail that came back")
        .second_faults(7)
        .run(
            async |account: InProcess, retries: Retries| Post::with(account, retries, 0).await,
            async |post: &Post| {
                let back = post.returned(&[post.event(PERMANENT, ANNA, ANNAS, "r-1")]).await;
                if back.is_empty() { Ok(()) } else { Err("it comes back".to_owned()) }
            },
            async |post: &Post| {
                let back = post.restarted(0).returned(&[post.event(PERMANENT, ANNA, ANNAS, "r-1")]).await;
                if back.is_empty() { Ok(()) } else { Err("it comes back".to_owned()) }
            },
            async |post: &Post| {
                let noted = post.told("mail.returned").await.len();
                let silenced = post.room.store().silenced(&scope()).await.map_err(|error| error.to_string())?;
                if noted == 1 && silenced.len() == 1 { Ok(()) } else { Err(format!("noted {noted} times")) }
            },
        )
        .unwrap_or_else(|violation| panic!("{violation}"));
}
