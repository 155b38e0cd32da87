//! The enumerator finds planted bugs in toys, and passes the right ones.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use aws_sdk_s3::primitives::ByteStream;

use super::dynamodb::count;
use super::{n, s};
use crate::{EXPORT_BUCKET, Enumerator, Fault, InProcess, LEDGER_TABLE, Report, Retries, STATE_TABLE, Violation};

struct Toy {
    account: InProcess,
    client: Client,
    s3: aws_sdk_s3::Client,
}

async fn set_up(account: InProcess, retries: Retries) -> Toy {
    Toy { client: account.dynamodb(retries), s3: account.s3(retries), account }
}

fn put_entry() -> Put {
    let put = Put::builder().table_name(LEDGER_TABLE).item("pk", s("l")).item("seq", n(0)).item("entry", s("paid"));
    put.condition_expression("attribute_not_exists(seq)").build().unwrap()
}

/// The bug: the entry and the counter are two writes.
async fn two_writes(toy: &Toy) -> Result<(), String> {
    let put =
        toy.client.put_item().table_name(LEDGER_TABLE).item("pk", s("l")).item("seq", n(0)).item("entry", s("paid"));
    match put.condition_expression("attribute_not_exists(seq)").send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => return Ok(()),
        Err(error) => return Err(error.to_string()),
    }
    let add = toy.client.update_item().table_name(STATE_TABLE).key("pk", s("live#acct_1")).key("sk", s("count"));
    let add = add.update_expression("ADD entries :one").expression_attribute_values(":one", n(1));
    add.send().await.map(|_| ()).map_err(|error| error.to_string())
}

/// The right one: both in one transaction; an entry that is there is our own.
async fn one_transaction(toy: &Toy) -> Result<(), String> {
    let add = Update::builder().table_name(STATE_TABLE).key("pk", s("live#acct_1")).key("sk", s("count"));
    let add = add.update_expression("ADD entries :one").expression_attribute_values(":one", n(1)).build().unwrap();
    let items =
        vec![TransactWriteItem::builder().put(put_entry()).build(), TransactWriteItem::builder().update(add).build()];
    let Err(error) = toy.client.transact_write_items().set_transact_items(Some(items)).send().await else {
        return Ok(());
    };
    let failed = error.into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = &failed
    else {
        return Err(failed.to_string());
    };
    match cancelled.cancellation_reasons().first().and_then(|reason| reason.code()) {
        Some("ConditionalCheckFailed") => Ok(()),
        _ => Err(failed.to_string()),
    }
}

async fn counted_once(toy: &Toy) -> Result<(), String> {
    let entries = toy.account.items(LEDGER_TABLE).unwrap().len();
    match (entries, count(&toy.client).await.as_deref()) {
        (1, Some("1")) => Ok(()),
        (entries, count) => Err(format!("{entries} entries, counted {count:?}")),
    }
}

fn enumerate(scenario: impl AsyncFn(&Toy) -> Result<(), String> + Sync) -> Result<Report, Box<Violation>> {
    Enumerator::new("toy").second_faults(1).run(set_up, &scenario, &scenario, counted_once)
}

#[test]
fn two_writes_without_a_transaction_are_found_out() {
    let violation = enumerate(two_writes).unwrap_err();
    let point = violation.point.as_ref().unwrap();
    // With retries on, the first write applied and reported failed meets itself at its retry and is taken for done.
    assert_eq!((point.retries, point.first.clone()), (Retries::On, (0, "PutItem".to_owned())));
    assert_eq!(point.fault, Fault::ApplyThenFail);
    assert_eq!(violation.reason, "1 entries, counted None");
    assert!(violation.to_string().contains("call 0 (PutItem): apply, then fail; SDK retries On"), "{violation}");
}

#[test]
fn one_transaction_passes_every_point() {
    let report = enumerate(one_transaction).unwrap();
    assert_eq!(report.calls, ["TransactWriteItems"]);
    let faults = Fault::applicable(crate::Service::DynamoDb, "TransactWriteItems").len();
    assert_eq!(report.points - report.second_points, 2 * faults);
    assert!(report.second_points > report.points / 2, "{report}");
    assert!(report.crashed > 0 && report.recovered > 0 && report.survived > 0, "{report}");
}

#[test]
fn a_second_fault_finds_a_recovery_that_cannot_be_repeated() {
    // The recovery writes a mark first and then takes the mark for the work.
    let recover = async |toy: &Toy| {
        let mark = toy.client.put_item().table_name(STATE_TABLE).item("pk", s("test#mark")).item("sk", s("m"));
        match mark.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => one_transaction(toy).await,
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    let run = |enumerator: Enumerator| enumerator.run(set_up, one_transaction, recover, counted_once);
    run(Enumerator::new("one fault")).unwrap();
    let violation = run(Enumerator::new("two faults").second_faults(1)).unwrap_err();
    assert!(violation.point.unwrap().second.is_some());
}

#[test]
fn a_put_that_overwrites_is_found_out_and_a_conditional_one_passes() {
    async fn publish(toy: &Toy, conditional: bool) -> Result<(), String> {
        let put = toy.s3.put_object().bucket(EXPORT_BUCKET).key("segment").body(ByteStream::from_static(b"lines"));
        match put.set_if_none_match(conditional.then(|| "*".to_owned())).send().await {
            Err(error) if error.code() != Some("PreconditionFailed") => Err(error.to_string()),
            _ => Ok(()),
        }
    }
    let once = async |toy: &Toy| match toy.account.object_versions(EXPORT_BUCKET).get("segment") {
        Some(1) => Ok(()),
        other => Err(format!("{other:?} versions")),
    };
    let run = |conditional: bool| {
        let publish = async |toy: &Toy| publish(toy, conditional).await;
        Enumerator::new("publish").run(set_up, publish, publish, once)
    };
    run(true).unwrap();
    assert!(run(false).unwrap_err().reason.contains("2) versions"));
}

#[test]
fn a_scenario_that_waits_for_ever_is_a_violation() {
    let wait = async |_: &Toy| std::future::pending::<Result<(), String>>().await;
    let violation = Enumerator::new("stuck").run(set_up, wait, wait, counted_once).unwrap_err();
    assert!(violation.point.is_none() && violation.reason.contains("still not ended"), "{violation}");
}

#[test]
fn a_scenario_that_fails_by_itself_is_a_violation() {
    let fail = async |_: &Toy| Err::<(), _>("by itself");
    let violation = Enumerator::new("failing").run(set_up, fail, fail, counted_once).unwrap_err();
    assert_eq!(violation.to_string().trim(), "without any fault: the scenario failed: by itself");
}
