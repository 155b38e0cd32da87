#![doc = include_str!("../README.md")]

use std::sync::Arc;

use axiru_fn_reconcile::{App, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    axiru_runtime::telemetry::start("reconcile");
    let app = Arc::new(App::load().await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let app = Arc::clone(&app);
        async move { handle(&app, &event.payload).await }
    }))
    .await
}
