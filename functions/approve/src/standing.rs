//! How a held request stands, as its pages say it.

use axiru_aws::approval::Held;
use axiru_domain::{Choice, RequestStatus, Timestamp, Vote};
use axiru_pages::{Answered, Ending, Standing, reason};

/// An answer, with a name to it.
fn answered(held: &Held, vote: &Vote) -> Answered {
    let at = Timestamp::from_millis(vote.at).unwrap_or_else(|_| held.row().decided_at);
    Answered { by: held.name_of(&vote.person), choice: vote.choice, at }
}

/// Every answer so far.
pub(crate) fn answers(held: &Held) -> Vec<Answered> {
    held.approval().votes.iter().map(|vote| answered(held, vote)).collect()
}

/// How it stands now.
pub(crate) fn of(held: &Held, now: Timestamp) -> Standing {
    let row = held.row();
    let failure = row.failure.as_ref();
    match held.status() {
        // The sweeper has not come by yet: it has ended all the same.
        RequestStatus::Pending if now.millis() >= held.approval().until => Standing::Ended(Ending::Expired),
        RequestStatus::Pending => Standing::Pending,
        RequestStatus::Approved | RequestStatus::Executing => Standing::Approved,
        RequestStatus::Allowed => Standing::Released,
        RequestStatus::Denied => {
            let denial = held.approval().votes.iter().find(|vote| vote.choice == Choice::Deny);
            Standing::Ended(denial.map_or(Ending::Expired, |vote| Ending::Denied(answered(held, vote))))
        }
        RequestStatus::Expired if held.approval().begins_by.is_some() => Standing::Ended(Ending::NotBegun),
        RequestStatus::Expired => Standing::Ended(Ending::Expired),
        RequestStatus::Cancelled => {
            let reason = failure.map_or("object_changed", |failure| failure.reason.as_str());
            Standing::Ended(Ending::Cancelled { why: reason::sentence(reason) })
        }
        RequestStatus::Succeeded | RequestStatus::Settled => {
            Standing::Ended(Ending::Made { object: row.object.clone() })
        }
        RequestStatus::Failed => Standing::Ended(match failure {
            Some(failure) if failure.reason != "stripe_refused" => {
                Ending::Cancelled { why: reason::sentence(&failure.reason) }
            }
            failure => Ending::Refused { code: failure.and_then(|failure| failure.code.clone()) },
        }),
        RequestStatus::Unknown => Standing::Ended(Ending::Unknown),
    }
}
