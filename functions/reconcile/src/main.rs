#![doc = include_str!("../README.md")]

use std::process::ExitCode;
use std::sync::Arc;

use axiru_fn_reconcile::{App, handle};
use axiru_runtime::invocation::logged;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    axiru_runtime::start::function("reconcile", App::load(), |app| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
            let app = Arc::clone(&app);
            async move { logged(Box::pin(handle(&app, &event.payload))).await }
        }))
    })
    .await
}
