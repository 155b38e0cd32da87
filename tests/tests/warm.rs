//! Connections that are made during a start: one read that every such role may make, and never a start that fails or waits long.

use std::time::Duration;

use axiru_in_process::{Fault, InProcess, Retries};
use tokio::time::Instant;

use crate::acting::{acting_as, store_of};

/// The functions for which a person or an agent waits.
const ROLES: [&str; 5] = ["AdminRole", "ApproveRole", "ConnectRole", "DecideRole", "GatewayRole"];

#[tokio::test]
async fn it_is_one_read_that_the_role_may_make() {
    for role in ROLES {
        let account = InProcess::new().unwrap();
        store_of(&acting_as(role, &account, Retries::On)).warm().await;
        let calls: Vec<_> = account.calls().0.into_iter().map(|call| call.operation).collect();
        assert_eq!(calls, ["GetItem"], "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_or_slow_neither_ends_nor_holds_up_a_start() {
    for fault in [Fault::Fail, Fault::Reset, Fault::Throttle, Fault::Delay(Duration::from_secs(60))] {
        let account = InProcess::new().unwrap();
        account.faults().always("GetItem", fault);
        let started = Instant::now();
        store_of(&acting_as("DecideRole", &account, Retries::On)).warm().await;
        assert!(started.elapsed() <= Duration::from_millis(600), "{fault:?}: {:?}", started.elapsed());
    }
}
