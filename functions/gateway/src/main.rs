#![doc = include_str!("../README.md")]

use std::process::ExitCode;
use std::sync::Arc;

use axiru_fn_gateway::{App, handle};
use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    axiru_runtime::start::function("gateway", App::load(), |app| {
        lambda_http::run(service_fn(move |request: Request| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Error>(handle(&app, &request).await) }
        }))
    })
    .await
}
