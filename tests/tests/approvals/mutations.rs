//! Every link dies with whatever it was sent for: each field of the request, of its decision's place, of the people who are asked. What
//! answering changes kills none.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::approval::{Cast, OpenError};
use axiru_domain::{Choice, Voted};
use serde_json::{Value, json};

use super::ground::{ACCOUNT, ANNA, BEN, OWEN, Room, key, scope};
use crate::played::{MODE, mode};

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

#[tokio::test(start_paused = true)]
async fn every_field_of_a_request_kills_every_link() {
    let room = Room::new().await;
    room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    let id = room.held("k1", 20_000).await;
    let links = [room.link(&id, ANNA).await, room.link(&id, BEN).await];
    let pk = format!("{MODE}#{ACCOUNT}#request#{id}");
    let row = room.item(&pk, "request").await;
    let approval: Value = serde_json::from_str(row["approval"].as_s().unwrap()).unwrap();
    let with = |path: &str, value: Value| {
        let mut changed = approval.clone();
        *changed.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        s(changed.to_string())
    };
    let flipped = |name: &str| s(row[name].as_s().unwrap().replace(['0', '1', '2'], "f"));
    let changes: Vec<(&str, AttributeValue)> = vec![
        ("actor", s("agent:ag_2")),
        ("key", s("otherotherot")),
        ("digest", flipped("digest")),
        ("kind", s("payout")),
        ("outcome", s("allow")),
        ("lane", s("1")),
        ("seq", n(1)),
        ("decided_at", s("2026-10-01T00:00:00.000Z")),
        ("similar", flipped("similar")),
        ("attempt", s("att_other")),
        ("rationale", s("please")),
        ("approval", with("/g/0/g", json!("friends"))),
        ("approval", with("/g/0/q", json!(1))),
        ("approval", with("/g/0/p", json!([ANNA, BEN, OWEN]))),
        ("approval", with("/g", json!([]))),
        ("approval", with("/o", json!([]))),
        ("approval", with("/r", json!({}))),
        ("approval", with("/u", json!(approval["u"].as_i64().unwrap() + 1))),
        ("approval", with("/a", json!("0".repeat(64)))),
        ("approval", with("/e", json!(1))),
    ];
    // Nothing of the row is forgotten: the others are what answering and making change, or where the row is.
    let live = ["pk", "sk", "status", "version", "counted", "open_until", "listed", "listed_at"];
    let tried: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
    for name in row.keys() {
        assert!(live.contains(&name.as_str()) || tried.contains(&name.as_str()), "`{name}` is not tried");
    }
    for (name, value) in changes {
        let before = row.get(name).cloned();
        room.set(&pk, "request", name, value.clone()).await;
        for link in &links {
            let opened = room.open(link).await;
            let dead = matches!(opened, Err(OpenError::Stale | OpenError::Unknown));
            assert!(dead, "{name} {value:?}: {:?}", opened.map(|opened| opened.person));
        }
        match before {
            Some(before) => room.set(&pk, "request", name, before).await,
            None => room.unset(&pk, "request", name).await,
        }
        assert!(room.open(&links[0]).await.is_ok(), "{name} is as it was");
    }
    for (name, value) in [("version", n(9)), ("open_until", s("2027-01-01T00:00:00.000Z")), ("counted", s("[]"))] {
        room.set(&pk, "request", name, value).await;
        assert!(room.open(&links[0]).await.is_ok(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn links_are_called_in_one_by_one_by_person_by_request_and_all() {
    let link_pk = |link: &axiru_aws::approval::LinkToken| format!("{MODE}#link#{}", link.id().text());
    for what in ["link", "person", "request", "scope"] {
        let room = Room::new().await;
        let id = room.held("k1", 20_000).await;
        let other = room.held("k2", 30_000).await;
        let (anna, ben, anna_other) =
            (room.link(&id, ANNA).await, room.link(&id, BEN).await, room.link(&other, ANNA).await);
        let pk = format!("{MODE}#{ACCOUNT}#request#{id}");
        match what {
            "link" => room.set(&link_pk(&anna), "link", "revoked", AttributeValue::Bool(true)).await,
            "person" => room.set(&format!("{MODE}#{ACCOUNT}#persons"), ANNA, "link_epoch", n(1)).await,
            "request" => {
                let row = room.item(&pk, "request").await;
                let approval = row["approval"].as_s().unwrap().replace("\"e\":0", "\"e\":1");
                room.set(&pk, "request", "approval", s(approval)).await;
            }
            _ => {
                let row = [
                    ("pk", s(format!("{MODE}#{ACCOUNT}#links"))),
                    ("sk", s("epoch")),
                    ("epoch", n(1)),
                    ("version", n(1)),
                ];
                room.ground.put(&row).await;
            }
        }
        let mut alive = Vec::new();
        for link in [&anna, &ben, &anna_other] {
            alive.push(room.open(link).await.is_ok());
        }
        let expected = match what {
            "link" => [false, true, true],
            "person" => [false, true, false],
            "request" => [false, false, true],
            _ => [false, false, false],
        };
        assert_eq!(alive, expected, "{what}");
        assert!(
            matches!(room.open(&anna).await, Err(OpenError::Stale)),
            "{what}: who had it is told that it has changed"
        );
        if what != "link" {
            // A new one of another turn opens again.
            let held = room.read(&id).await;
            let link =
                room.minter().link(&held, &super::ground::person(ANNA), "second", super::ground::now()).await.unwrap();
            assert!(room.open(&link.parse().unwrap_or_else(|error| panic!("{error}"))).await.is_ok(), "{what}");
        }
    }
}

/// Called in between opening and answering: what was opened does not count.
#[tokio::test(start_paused = true)]
async fn what_is_called_in_while_somebody_reads_does_not_count() {
    for what in ["link", "person", "scope", "content"] {
        let room = Room::new().await;
        let id = room.held("k1", 20_000).await;
        let link = room.link(&id, ANNA).await;
        let opened = room.open(&link).await.unwrap();
        let pk = format!("{MODE}#{ACCOUNT}#request#{id}");
        match what {
            "link" => {
                room.set(&format!("{MODE}#link#{}", link.id().text()), "link", "revoked", AttributeValue::Bool(true))
                    .await
            }
            "person" => room.set(&format!("{MODE}#{ACCOUNT}#persons"), ANNA, "link_epoch", n(1)).await,
            "scope" => {
                let row = [
                    ("pk", s(format!("{MODE}#{ACCOUNT}#links"))),
                    ("sk", s("epoch")),
                    ("epoch", n(1)),
                    ("version", n(1)),
                ];
                room.ground.put(&row).await;
            }
            _ => room.set(&pk, "request", "rationale", s("please")).await,
        }
        assert!(matches!(room.cast(&opened, Choice::Approve).await, Ok(Cast::Stale)), "{what}");
        assert_eq!(room.ground.types().await, ["decision.made", "approval.requested"], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_one_leaves_the_links_of_the_others() {
    let room = Room::new().await;
    room.put_group("finance", &[ANNA, BEN, OWEN], Some(2), 2).await;
    let id = room.held("k1", 20_000).await;
    let (anna, ben) = (room.link(&id, ANNA).await, room.link(&id, BEN).await);
    assert!(matches!(room.answer(&anna, Choice::Approve).await, Ok(Cast::Voted(Voted::Counted, _))));
    let opened = room.open(&ben).await.unwrap();
    assert_eq!(opened.held.sheet().unwrap().groups[0].approved, 1);
    assert!(matches!(room.cast(&opened, Choice::Approve).await, Ok(Cast::Voted(Voted::Approved, _))));
    assert_eq!(room.work(&id).await, 0);
    // Both still open, and show what became of it.
    for link in [&anna, &ben] {
        assert_eq!(room.open(link).await.unwrap().held.status().as_str(), "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_of_one_deployment_key_or_request_is_none_of_another() {
    let room = Room::new().await;
    let id = room.held("k1", 20_000).await;
    let link = room.link(&id, ANNA).await;
    let kms = room.ground.account.kms(room.ground.retries);
    let keys =
        |name: &str, id: &str| axiru_aws::approval::LinkKeys::new(kms.clone(), [(name.to_owned(), id.to_owned())]);
    let now = super::ground::now();
    for (deployment, name) in [("other", "one"), ("tests", "two")] {
        let verifier =
            axiru_aws::approval::Verifier::new(room.store(), keys(name, axiru_in_process::LINK_KEY_ID), deployment);
        assert!(matches!(verifier.open(&link, now).await, Err(OpenError::Unknown)), "{deployment} {name}");
    }
    // The row of a link made to say another person, another request, or another end.
    let pk = format!("{MODE}#link#{}", link.id().text());
    let other = room.held("k2", 30_000).await;
    let row = room.item(&pk, "link").await;
    for (name, value) in [
        ("person", s(BEN)),
        ("request", s(other.as_str())),
        ("until", n(9_999_999_999_999_i64)),
        ("issued", n(1)),
        ("key", s("two")),
        ("account", s("acct_payee")),
    ] {
        room.set(&pk, "link", name, value.clone()).await;
        assert!(matches!(room.open(&link).await, Err(OpenError::Unknown)), "{name} {value:?}");
        room.set(&pk, "link", name, row[name].clone()).await;
    }
    assert!(room.open(&link).await.is_ok());
    assert_eq!((scope().to_string(), key().mode()), (format!("{MODE}/{ACCOUNT}"), mode()));
}
