//! How long the in-process account takes per call, and the enumerator per point:
//! `cargo run -p axiru-in-process --example speed`.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axiru_in_process::{Enumerator, InProcess, LEDGER_TABLE, Retries, STATE_TABLE};

const ROUNDS: u32 = 2_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let started = Instant::now();
    for _ in 0..100 {
        InProcess::new()?;
    }
    println!("new account           {:>8.1?}", started.elapsed() / 100);
    let client = InProcess::new()?.dynamodb(Retries::On);
    let started = Instant::now();
    for seq in 0..ROUNDS {
        put(&client, seq).await?;
    }
    println!("PutItem               {:>8.1?}", started.elapsed() / ROUNDS);
    let started = Instant::now();
    for seq in 0..ROUNDS {
        transact(&client, seq).await?;
    }
    println!("3-item transaction    {:>8.1?}", started.elapsed() / ROUNDS);
    std::thread::spawn(points).join().map_err(|_| "the enumeration panicked")?
}

fn points() -> Result<(), Failure> {
    async fn work(client: &Client) -> Result<(), String> {
        for seq in 0..5 {
            put(client, seq).await.map_err(|error| error.to_string())?;
            transact(client, seq).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
    let set_up = async |account: InProcess, retries: Retries| account.dynamodb(retries);
    let check = async |_: &Client| Ok::<(), String>(());
    let report = Enumerator::new("10 calls").second_faults(7).run(set_up, work, work, check)?;
    let each = report.took / u32::try_from(report.points)?;
    println!("enumerated point      {each:>8.1?}");
    Ok(())
}

async fn put(client: &Client, seq: u32) -> Result<(), aws_sdk_dynamodb::Error> {
    let put = client.put_item().table_name(LEDGER_TABLE).item("pk", s("live#acct_1#0")).item("seq", n(seq));
    put.item("entry", s(&"x".repeat(600))).send().await?;
    Ok(())
}

async fn transact(client: &Client, seq: u32) -> Result<(), aws_sdk_dynamodb::Error> {
    let mut items = Vec::new();
    for kind in ["movement", "guard", "window"] {
        let put = Put::builder().table_name(STATE_TABLE).item("pk", s("live#acct_1"));
        let put = put.item("sk", s(&format!("{kind}#{seq}"))).item("value", s("x"));
        items.push(TransactWriteItem::builder().put(put.build()?).build());
    }
    client.transact_write_items().set_transact_items(Some(items)).send().await?;
    Ok(())
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
