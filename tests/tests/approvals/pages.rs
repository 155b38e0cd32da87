//! The pages of links as browsers and mail scanners meet them: looking changes nothing, every state has its page and its status.

use axiru_domain::{Choice, RequestStatus};
use axiru_in_process::{Fault, LINK_KEY_ID};

use super::ground::{ACCOUNT, ANNA, BEN, Got, OWEN, Room, pass};
use crate::played::{MODE, badge};
use aws_sdk_dynamodb::types::AttributeValue;

async fn held(room: &Room) -> (axiru_domain::RequestId, String) {
    let id = room.held("k1", 20_000).await;
    let link = room.link(&id, ANNA).await.expose().to_string();
    (id, link)
}

/// Everything that is stored, but for the calls' own traces.
fn stored(room: &Room) -> Vec<String> {
    let mut rows: Vec<String> = [axiru_in_process::STATE_TABLE, axiru_in_process::LEDGER_TABLE]
        .iter()
        .flat_map(|table| room.ground.account.items(table).unwrap())
        .map(|row| {
            let sorted: std::collections::BTreeMap<_, _> = row.into_iter().collect();
            format!("{sorted:?}")
        })
        .collect();
    rows.sort();
    rows
}

fn assert_closed(page: &Got) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
        ("content-type", "text/html; charset=utf-8"),
        ("strict-transport-security", "max-age=63072000"),
    ] {
        assert_eq!(page.headers.get(name).map(String::as_str), Some(value), "{name} of {}", page.h1());
    }
    let policy = &page.headers["content-security-policy"];
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("form-action 'self';"),
        "{policy}"
    );
    assert!(!page.headers.contains_key("set-cookie") && !page.headers.contains_key("location"));
    for never in
        ["<script", "<img", "<iframe", "<link", "href=\"/", "href=\"http", "http://", "https://", " onclick", " style="]
    {
        assert!(!page.html.contains(never), "{never} in {}", page.h1());
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_shown_answered_with_one_tap_and_told() {
    let room = Room::new().await;
    let (id, link) = held(&room).await;
    let page = room.look(&link).await;
    assert_eq!(page.status, 200);
    assert_closed(&page);
    for shown in ["Refund 200.00 USD", &badge(), "owen@shop.example", "hold-large", "5,000.00 USD", "finance"] {
        assert!(page.html.contains(shown), "{shown}: {}", page.html);
    }
    let digest = room.read(&id).await.digest();
    assert!(page.html.contains(&digest[..4]) && page.hidden("digest") == Some(digest.clone()));
    let told = room.press(&page, "approve", "looks right\r\nto me").await;
    assert_eq!((told.status, told.h1()), (200, "Your approval is recorded"));
    assert_closed(&told);
    assert_eq!(room.read(&id).await.status(), RequestStatus::Approved);
    let jobs = room.ground.account.queued(axiru_in_process::EXECUTIONS_QUEUE_URL);
    assert_eq!((jobs.len(), room.work_on(&jobs).await, room.ground.made_refunds().len()), (1, 0, 1));
    // Their words are kept beside the ledger, salted; the entry has the hash alone.
    let row = room.item(&format!("{MODE}#{ACCOUNT}#why"), &format!("{id}#{ANNA}")).await;
    assert_eq!(row["text"].as_s().unwrap(), "looks right to me");
    let vote = room.ground.entries().await.into_iter().find(|entry| entry.ty() == "vote.cast").unwrap();
    assert!(vote.fields()["why_sha256"].is_string() && !String::from_utf8_lossy(vote.bytes()).contains("looks"));
    assert_eq!(vote.fields()["actor"], format!("person:{ANNA}"));
    let again = room.look(&link).await;
    assert_eq!((again.status, again.h1(), again.hidden("digest")), (200, "You have answered", None));
    // A second tap of the same is the same, of the other does not count.
    let replay = room.post("decide", &[("link", &link), ("digest", &digest), ("decision", "approve")]).await;
    assert_eq!((replay.status, replay.h1()), (200, "Your approval is recorded"));
    let other = room.post("decide", &[("link", &link), ("digest", &digest), ("decision", "deny")]).await;
    assert_eq!((other.status, other.h1()), (409, "You had answered otherwise"));
    assert_eq!(room.ground.made_refunds().len(), 1);
}

/// What mail gateways, previews and prefetching browsers do with a link (SafeLinks, Slack, Outlook's preview, link rewriting with more
/// parameters): none of it changes anything, and the link still answers afterwards.
#[tokio::test(start_paused = true)]
async fn scanners_change_nothing() {
    let room = Room::new().await;
    let (_, link) = held(&room).await;
    let before = stored(&room);
    let path = format!("/approvals/{link}");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted = format!("link={link}&decision=approve&digest=00000000");
    for (method, path, headers, body, status) in [
        ("HEAD", path.clone(), &[][..], "", 200),
        ("GET", path.clone(), &[], "", 200),
        ("GET", path.clone(), &[], "", 200),
        ("GET", path.clone(), &[("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")], "", 200),
        ("GET", path.clone(), &[("user-agent", "Mozilla/5.0 (compatible; SkypeUriPreview Preview/0.5)")], "", 200),
        ("GET", format!("{path}?data=05%7C01&sdata=abc&reserved=0"), &[], "", 200),
        ("GET", format!("{path}?decision=approve"), &[], "", 200),
        ("OPTIONS", path.clone(), &[], "", 405),
        ("POST", path.clone(), &form, "decision=approve", 405),
        ("PUT", path.clone(), &[], "", 405),
        ("GET", format!("{path}/"), &[], "", 404),
        ("GET", format!("{path}."), &[], "", 404),
        ("GET", format!("{path}%22%3E"), &[], "", 404),
        ("GET", path.to_uppercase(), &[], "", 404),
        ("GET", "/approvals/decide".to_owned(), &[], "", 405),
        ("GET", format!("/approvals/decide?link={link}&decision=approve"), &[], "", 405),
        ("GET", format!("/approvals/resend?link={link}"), &[], "", 405),
        // A scanner that sends forms knows no digest, or comes from another site.
        ("POST", "/approvals/decide".to_owned(), &form, &posted, 409),
        ("POST", "/approvals/decide".to_owned(), &[form[0], ("sec-fetch-site", "cross-site")], &posted, 403),
        ("POST", "/approvals/decide".to_owned(), &[form[0], ("origin", "https://evil.example")], &posted, 403),
        ("POST", "/approvals/decide".to_owned(), &[("content-type", "application/json")], "{}", 415),
        ("POST", "/approvals/decide".to_owned(), &form, "", 400),
        ("POST", "/approvals/decide".to_owned(), &form, &format!("link={link}&decision=perhaps&digest=00000000"), 400),
        ("POST", "/approvals/decide".to_owned(), &form, &format!("{posted}&decision=deny"), 400),
    ] {
        let page = room.page(method, &path, headers, body).await;
        assert_eq!(page.status, status, "{method} {path} {body}");
        assert_closed(&page);
    }
    assert_eq!(stored(&room), before);
    let page = room.look(&link).await;
    assert_eq!(room.press(&page, "deny", "").await.h1(), "Your denial is recorded");
}

#[tokio::test(start_paused = true)]
async fn every_state_has_its_page() {
    // Unknown, broken, forged: one page.
    let room = Room::new().await;
    let (id, link) = held(&room).await;
    let unknown = room.look(&"A".repeat(64)).await;
    assert_eq!((unknown.status, unknown.h1()), (404, "This link is not known"));
    for other in ["", "x", &link[1..], &format!("{link}A")] {
        assert_eq!(room.look(other).await, unknown, "{other}");
    }
    // Others have denied it.
    let ben = room.link(&id, BEN).await.expose().to_string();
    let page = room.look(&ben).await;
    assert_eq!(room.press(&page, "deny", "").await.status, 200);
    let told = room.look(&link).await;
    assert_eq!((told.status, told.h1()), (200, "Denied"));
    assert!(told.html.contains("ben@shop.example"), "{}", told.html);
    let late = room.press(&page, "approve", "").await;
    assert_eq!(late.status, 409, "{}", late.h1());

    // The request's time is over, before and after the sweeper has come by.
    let room = Room::new().await;
    let (_, link) = held(&room).await;
    let page = room.look(&link).await;
    pass(2 * 3_600).await;
    let told = room.look(&link).await;
    assert_eq!((told.status, told.h1()), (410, "Expired"));
    assert_eq!(room.press(&page, "approve", "").await.status, 410);
    room.ground.sweep().await.unwrap();
    assert_eq!((room.look(&link).await.status, room.press(&page, "approve", "").await.status), (410, 410));

    // It changed.
    let room = Room::new().await;
    let (id, link) = held(&room).await;
    let page = room.look(&link).await;
    room.set(&format!("{MODE}#{ACCOUNT}#request#{id}"), "request", "rationale", AttributeValue::S("x".into())).await;
    let told = room.look(&link).await;
    assert_eq!((told.status, told.h1()), (409, "This request changed"));
    assert!(!told.html.contains("200.00"), "never old details");
    assert_eq!(room.press(&page, "approve", "").await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_answer_is_told_so() {
    let room = Room::new().await;
    let (id, link) = held(&room).await;
    let page = room.look(&link).await;
    let own = room.link(&id, OWEN).await.expose().to_string();
    let told = room.look(&own).await;
    assert_eq!((told.status, told.h1()), (403, "Someone else must decide"));
    let digest = page.hidden("digest").unwrap();
    assert_eq!(room.post("decide", &[("link", &own), ("digest", &digest), ("decision", "approve")]).await.status, 403);
    room.put_group("finance", &[BEN, OWEN], None, 2).await;
    let told = room.look(&link).await;
    assert_eq!((told.status, told.h1()), (403, "This link cannot answer"));
    assert_eq!(room.press(&page, "approve", "").await.status, 403);
    assert_eq!(room.ground.types().await, ["decision.made", "approval.requested"]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_too_old_gets_a_new_one_sent_to_the_address_on_file() {
    let room = Room::new().await;
    room.put_plan(&crate::gateway::ground::POLICIES.replace("2h", "7d"), 2).await;
    let (id, link) = held(&room).await;
    let page = room.look(&link).await;
    pass(3 * 86_400).await;
    let told = room.look(&link).await;
    assert_eq!((told.status, told.h1()), (410, "This link has expired"));
    assert!(!told.html.contains("200.00"));
    assert_eq!(room.press(&page, "approve", "").await.status, 410);
    let sent = room.post("resend", &[("link", &link)]).await;
    assert_eq!((sent.status, sent.h1()), (200, "A new link is on its way"));
    let wanted = room.store().links_wanted(&super::ground::scope()).await.unwrap();
    assert_eq!((wanted.len(), wanted[0].person.as_str(), &wanted[0].request), (1, ANNA, &id));
    // Asked again at once it is the same ask, and answered the same.
    assert_eq!(room.post("resend", &[("link", &link)]).await, sent);
    assert_eq!(room.store().links_wanted(&super::ground::scope()).await.unwrap(), wanted);
    let stranger = room.post("resend", &[("link", &"A".repeat(64))]).await;
    assert_eq!(stranger.status, 404);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_can_say_nothing_is_recorded() {
    let room = Room::new().await;
    let (_, link) = held(&room).await;
    let page = room.look(&link).await;
    for fault in ["VerifyMac", "BatchGetItem", "GetItem", "TransactWriteItems"] {
        room.ground.account.faults().always(fault, Fault::Fail);
        if fault != "TransactWriteItems" {
            let told = room.look(&link).await;
            assert_eq!((told.status, told.headers.get("retry-after").map(String::as_str)), (503, Some("5")), "{fault}");
        }
        let told = room.press(&page, "approve", "").await;
        assert_eq!((told.status, told.h1()), (503, "Not available at the moment"), "{fault}");
        room.ground.account.faults().clear();
    }
    room.ground.account.enable_key(LINK_KEY_ID, false);
    assert_eq!(room.look(&link).await.status, 503);
    room.ground.account.enable_key(LINK_KEY_ID, true);
    assert_eq!(room.ground.types().await, ["decision.made", "approval.requested"]);
    room.answer(&link.parse().unwrap(), Choice::Approve).await.unwrap();
}

/// Rotation: links of the old key are good until their end, new ones come from the new key.
#[tokio::test(start_paused = true)]
async fn two_keys_overlap() {
    let room = Room::new().await;
    let (id, old) = held(&room).await;
    let kms = room.ground.account.kms(room.ground.retries);
    let minter = axiru_aws::approval::Minter::new(
        room.store(),
        kms,
        super::ground::DEPLOYMENT,
        "two",
        axiru_in_process::LINK_KEY_TWO_ID,
    );
    let held = room.read(&id).await;
    let new = minter.link(&held, &super::ground::person(BEN), "first", super::ground::now()).await.unwrap().to_string();
    assert_eq!((room.look(&old).await.status, room.look(&new).await.status), (200, 200));
    room.ground.account.enable_key(LINK_KEY_ID, false);
    assert_eq!((room.look(&old).await.status, room.look(&new).await.status), (503, 200));
}
