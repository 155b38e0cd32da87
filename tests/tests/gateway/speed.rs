//! What a call through the gateway costs beside the same call made directly.

use std::time::{Duration, Instant};

use axiru_in_process::{InProcess, Retries, Service};

use super::ground::Ground;

/// Calls in one round, and rounds of each.
const ROUND: usize = 20;
const ROUNDS: usize = 5;

#[tokio::test(start_paused = true)]
async fn four_waits_for_the_tables_and_one_look_at_the_charge() {
    let ground = Ground::enforcing().await;
    assert_eq!(ground.refund("cold", 100).await.status, 200);
    ground.account.clear_calls();
    ground.account.measure_capacity();
    assert_eq!(ground.refund("warm", 101).await.status, 200);
    let calls = ground.account.calls();
    let of_tables: Vec<_> = calls.0.iter().filter(|call| call.service == Service::DynamoDb).collect();
    let operations: Vec<_> = calls.0.iter().map(|call| call.operation.as_str()).collect();
    println!("{operations:?}; {} write units", calls.write_units());
    let mut waits: Vec<_> = of_tables.iter().map(|call| call.operation.as_str()).collect();
    waits.sort_unstable();
    // Rows beside the tip, the decision; rows beside the tip, the outcome: four waits of six operations.
    assert_eq!(
        waits,
        ["BatchGetItem", "BatchGetItem", "Query", "Query", "TransactWriteItems", "TransactWriteItems"],
        "{operations:?}"
    );
    assert_eq!(calls.waits(), 6, "four for the tables, two for Stripe: {operations:?}");
}

/// Turn and turn about, without latencies: read the ratio, not the times.
#[tokio::test]
async fn the_gateway_beside_a_direct_call() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, "enforce").await;
    let (mut through, mut direct) = (Duration::ZERO, Duration::ZERO);
    let reach = ground.direct();
    for round in 0..ROUNDS {
        let started = Instant::now();
        for i in 0..ROUND {
            assert_eq!(ground.refund(&format!("k-{round}-{i}"), 100 + i64::try_from(i).unwrap()).await.status, 200);
        }
        through += started.elapsed();
        let started = Instant::now();
        for i in 0..ROUND {
            let form = format!("charge={}&amount={}", ground.charge, 100 + i);
            let key = format!("d-{round}-{i}");
            let letter = axiru_aws::reach::Letter {
                method: &http::Method::POST,
                path: "/v1/refunds",
                query: "",
                body: Some((form.as_bytes(), "application/x-www-form-urlencoded")),
                idempotency_key: Some(&key),
                version: None,
            };
            assert_eq!(reach.send(&super::ground::scope(), &letter).await.unwrap().status(), 200);
        }
        direct += started.elapsed();
    }
    let each = |all: Duration| all / u32::try_from(ROUND * ROUNDS).unwrap();
    let ratio = through.as_secs_f64() / direct.as_secs_f64();
    println!("through the gateway {:?}, directly {:?}: {ratio:.1} times", each(through), each(direct));
    let types = ground.types().await;
    assert_eq!(types.iter().filter(|ty| *ty == "execution.succeeded").count(), ROUND * ROUNDS);
}
