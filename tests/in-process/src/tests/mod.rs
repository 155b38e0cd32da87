//! The doubles and the faults, seen through the real SDK clients.

mod calls;
mod dynamodb;
mod enumerator;
mod faults;
mod kms;
mod s3;
mod secrets;
mod ses;
mod sqs;
mod stripe;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::InProcess;

fn account() -> InProcess {
    InProcess::new().unwrap()
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The error code the service sent.
fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.code().map_or_else(|| "no code".to_owned(), str::to_owned),
    }
}
