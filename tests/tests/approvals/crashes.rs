//! Every fault at every call, to AWS and to Stripe, of asking, minting, answering and making; then everybody tries again.

use axiru_aws::approval::{Cast, LinkToken};
use axiru_domain::{Choice, RequestId, RequestStatus, Voted};
use axiru_in_process::{Enumerator, InProcess, Retries};

use super::ground::{ANNA, Room, pass, person};

/// Asks until it is held.
async fn held(room: &Room) -> Result<RequestId, String> {
    for _ in 0..6 {
        let told = room.ground.refund("k1", 20_000).await;
        match (told.status, told.word().as_str()) {
            (400, "approval_required") => {
                let id = &told.body["error"]["approval_request"]["id"];
                return id.as_str().and_then(|id| id.parse().ok()).ok_or_else(|| told.text.clone());
            }
            (503, _) => pass(1).await,
            _ => return Err(format!("{}: {}", told.status, told.text)),
        }
    }
    Err("never held".to_owned())
}

/// Mints until there is a link.
async fn minted(room: &Room, id: &RequestId) -> Result<LinkToken, String> {
    let mut last = String::new();
    for _ in 0..6 {
        let held = match room.store().held(&super::ground::scope(), id).await {
            Ok(Some(held)) => held,
            Ok(None) => return Err("nobody was asked".to_owned()),
            Err(error) => {
                last = error.to_string();
                pass(1).await;
                continue;
            }
        };
        match room.minter().link(&held, &person(ANNA), "first", super::ground::now()).await {
            Ok(link) => return link.parse().map_err(|error| format!("{error}")),
            Err(error) => last = error.to_string(),
        }
        pass(1).await;
    }
    Err(format!("never minted: {last}"))
}

/// Answers until it is heard.
async fn answered(room: &Room, link: &LinkToken) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..6 {
        match room.open(link).await {
            Ok(opened) => match room.cast(&opened, Choice::Approve).await {
                Ok(Cast::Voted(Voted::Approved | Voted::Before, _)) => return Ok(()),
                Ok(other) => return Err(format!("{other:?}")),
                Err(error) => last = error.to_string(),
            },
            Err(error) => last = error.to_string(),
        }
        pass(1).await;
    }
    Err(format!("never heard: {last}"))
}

fn run(name: &str, second: bool) {
    let set_up = async |account: InProcess, retries: Retries| Room::with(account, retries).await;
    let act = async |room: &Room| -> Result<(), String> {
        let id = held(room).await?;
        let link = minted(room, &id).await?;
        answered(room, &link).await?;
        match room.work(&id).await {
            0 => Ok(()),
            some => Err(format!("{some} jobs come back")),
        }
    };
    let recover = async |room: &Room| -> Result<(), String> {
        let room = room.restarted();
        let id = match held(&room).await {
            Ok(id) => id,
            // It was held, and is past that.
            Err(_) => Room::asked_for("k1"),
        };
        let status = room.store().held(&super::ground::scope(), &id).await.map_err(|error| error.to_string())?;
        let status = status.ok_or("nobody was asked")?.status();
        if status == RequestStatus::Pending {
            let link = minted(&room, &id).await?;
            answered(&room, &link).await?;
        }
        for _ in 0..4 {
            room.work(&id).await;
            pass(360).await;
            room.ground.sweep().await?;
        }
        room.ground.observe(room.ground.events()).await.map(|_| ())
    };
    let check = async |room: &Room| -> Result<(), String> {
        let id = Room::asked_for("k1");
        let status = room.read(&id).await.status();
        let made = room.ground.made_refunds().len();
        let types = room.ground.types().await;
        let count = |ty: &str| types.iter().filter(|other| *other == ty).count();
        let asked =
            (count("decision.made"), count("approval.requested"), count("vote.cast"), count("approval.granted"));
        if asked != (1, 1, 1, 1) {
            return Err(format!("(made, requested, cast, granted) = {asked:?}: {types:?}"));
        }
        let actor = room.ground.actor_counters().await;
        let outcome = (made, count("execution.started"), count("execution.succeeded"), count("execution.failed"));
        match (outcome, status) {
            ((1, 1, 1, 0), RequestStatus::Succeeded) if actor.contains(",20000,1]") => {}
            ((0, 1, 0, 1), RequestStatus::Failed) if !actor.contains(",20000,") => {}
            // Its time to begin was over before it could.
            ((0, 0, 0, 0), RequestStatus::Expired | RequestStatus::Cancelled) if !actor.contains(",20000,") => {}
            other => {
                return Err(format!("(refunds, started, succeeded, failed) = {other:?}: {types:?}; actor {actor}"));
            }
        }
        if room.sealed() == 0 { Ok(()) } else { Err("the parameters are still there".to_owned()) }
    };
    let enumerator = Enumerator::new(name);
    let enumerator = if second { enumerator.second_faults(41) } else { enumerator };
    enumerator.run(set_up, act, recover, check).unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn whatever_fails_what_is_approved_is_made_at_most_once() {
    run("held, approved, made", false);
}
