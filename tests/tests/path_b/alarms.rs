//! What can only be tampering, a restore or a fault of ours: the exporter signs nothing more, and says why.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::export::ExportError;
use axiru_domain::LogId;
use axiru_in_process::{EXPORT_BUCKET, InProcess, LEDGER_TABLE, Retries};

use super::events::{day, event, refund, report};
use super::ground::{Ground, evening, log, observe};
use crate::played::MODE;

fn log_id() -> LogId {
    LogId::from_key(&log()).unwrap()
}

/// A log that is exported, and then grows by one entry.
async fn grown() -> Ground {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    observe(&ground.observer(evening), day().iter().map(report).collect()).await.unwrap();
    ground.exporter().export(&log_id()).await.unwrap();
    let more = report(&event("evt_99", "refund.created", &refund("re_99", 1, "succeeded"), None));
    observe(&ground.observer(evening), vec![more]).await.unwrap();
    ground
}

/// Exports, expects an alarm, and checks that nothing was signed for it.
async fn alarm(ground: &Ground) -> ExportError {
    ground.account.clear_calls();
    let before = ground.copy();
    let error = ground.exporter().export(&log_id()).await.unwrap_err();
    assert!(error.is_alarm(), "{error}");
    assert!(!ground.account.calls().operations().contains(&"Sign"), "{error}");
    assert_eq!(ground.copy(), before);
    error
}

async fn delete(ground: &Ground, seq: u64) {
    let delete = ground.clients.dynamodb.delete_item().table_name(LEDGER_TABLE);
    let delete = delete.key("pk", AttributeValue::S(log_id().key())).key("seq", AttributeValue::N(seq.to_string()));
    delete.send().await.unwrap();
}

async fn overwrite(ground: &Ground, seq: u64, bytes: &[u8]) {
    let put = ground.clients.dynamodb.put_item().table_name(LEDGER_TABLE).item("pk", AttributeValue::S(log_id().key()));
    let put = put.item("seq", AttributeValue::N(seq.to_string()));
    put.item("entry", AttributeValue::B(Blob::new(bytes))).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_table_that_went_back_is_not_signed_again() {
    let ground = grown().await;
    let count = ground.entries(&log_id().key()).await.len() as u64;
    for seq in [count - 1, count - 2, count - 3] {
        delete(&ground, seq).await;
    }
    assert!(matches!(alarm(&ground).await, ExportError::Rollback { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_missing_entry_is_a_gap() {
    let ground = grown().await;
    let more = report(&event("evt_98", "refund.created", &refund("re_98", 1, "succeeded"), None));
    observe(&ground.observer(evening), vec![more]).await.unwrap();
    let count = ground.entries(&log_id().key()).await.len() as u64;
    delete(&ground, count - 2).await;
    assert!(matches!(alarm(&ground).await, ExportError::Gap { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_changed_entry_breaks_the_chain() {
    let ground = grown().await;
    let entries = ground.entries(&log_id().key()).await;
    // The last one that was signed, with another amount: a sound entry, but not the one that was signed.
    let signed = &entries[entries.len() - 2];
    let text = String::from_utf8(signed.bytes().to_vec()).unwrap();
    let changed = text.replace("\"amount_minor\":", "\"amount_minor\":1");
    assert_ne!(changed, text);
    overwrite(&ground, signed.seq(), changed.as_bytes()).await;
    assert!(matches!(alarm(&ground).await, ExportError::Chain { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_entry_is_not_exported() {
    let ground = grown().await;
    let last = ground.entries(&log_id().key()).await.len() as u64 - 1;
    overwrite(&ground, last, b"{}").await;
    assert!(matches!(alarm(&ground).await, ExportError::Ledger(_)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_with_other_bytes_is_never_overwritten() {
    let ground = grown().await;
    let count = ground.entries(&log_id().key()).await.len();
    let name = format!("v1/{MODE}/acct_1/0/entries/dt=2026-10-31/{:020}-{:020}.ndjson", count - 1, count - 1);
    let put = ground.clients.s3.put_object().bucket(EXPORT_BUCKET).key(&name);
    put.body(b"forged\n".to_vec().into()).send().await.unwrap();
    let error = ground.exporter().export(&log_id()).await.unwrap_err();
    assert!(error.is_alarm() && matches!(&error, ExportError::Overwrite(found) if *found == name), "{error}");
    assert_eq!(ground.copy().0[&name], b"forged\n");
    // And again: it does not go on past it.
    assert!(ground.exporter().export(&log_id()).await.unwrap_err().is_alarm());
}
