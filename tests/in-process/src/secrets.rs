//! Secrets Manager: GetSecretValue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::names::{
    DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_LIVE_VALUE, DEVELOPER_SECRET_TEST, DEVELOPER_SECRET_TEST_VALUE,
};
use crate::wire::{Reply, WireRequest, text};

/// The secrets, by ARN.
pub(crate) struct Secrets {
    by_arn: Mutex<BTreeMap<String, String>>,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        let secrets = [
            (DEVELOPER_SECRET_TEST, DEVELOPER_SECRET_TEST_VALUE),
            (DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_LIVE_VALUE),
        ];
        let by_arn = secrets.into_iter().map(|(arn, value)| (arn.to_owned(), value.to_owned())).collect();
        Self { by_arn: Mutex::new(by_arn) }
    }

    pub(crate) fn set(&self, arn: &str, value: &str) {
        self.by_arn.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned(), value.to_owned());
    }

    pub(crate) fn answer(&self, request: &WireRequest) -> Reply {
        let body = request.json();
        let arn = text(&body, "SecretId");
        let secrets = self.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
        match (request.operation.as_str(), secrets.get(arn)) {
            ("GetSecretValue", Some(value)) => {
                Reply::json(&json!({ "ARN": arn, "Name": arn, "SecretString": value, "VersionStages": ["AWSCURRENT"] }))
            }
            ("GetSecretValue", None) => {
                Reply::json_error(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
            }
            _ => Reply::json_error(400, "InvalidRequestException", "no double of this operation"),
        }
    }
}
