#![doc = include_str!("../README.md")]

use std::process::ExitCode;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use axiru_fn_observe::{App, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    axiru_runtime::start::function("observe", App::load(), |app| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Error>(handle(&app, event.payload).await) }
        }))
    })
    .await
}
