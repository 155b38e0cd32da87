//! The SDK clients, built once per function.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use crate::https;

/// First wait of the SDK before it tries again. DynamoDB answers in some 5 ms; the SDK's own default of a second would
/// spend a decision's whole deadline on one lost packet.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// Longest wait for one try of one call.
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// Longest wait for one call with all its tries.
const CALL: Duration = Duration::from_secs(5);

/// Longest wait for one try of sending a mail. SES needs some 200 ms; a try that is given up may have sent the mail all the same, and the
/// next one sends it again.
const MAIL_ATTEMPT: Duration = Duration::from_secs(5);

/// Longest wait for one mail with all its tries.
const MAIL: Duration = Duration::from_secs(12);

/// One client of each service that Axiru uses. Clients are cheap to clone and connect on first use.
#[derive(Clone, Debug)]
pub struct Clients {
    /// DynamoDB: the two tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SQS: the queues.
    pub sqs: aws_sdk_sqs::Client,
    /// KMS: sealing and signing.
    pub kms: aws_sdk_kms::Client,
    /// S3: the export.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager: the configured secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SES: mail.
    pub ses: aws_sdk_sesv2::Client,
}

impl Clients {
    /// Clients configured from the environment, with short waits.
    pub async fn load() -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(https::client())
            .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(FIRST_BACKOFF))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build())
            .load()
            .await;
        // Path-style addresses: a local endpoint has no name per bucket.
        let path_style = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(path_style).build();
        let waits = TimeoutConfig::builder().operation_attempt_timeout(MAIL_ATTEMPT).operation_timeout(MAIL).build();
        let ses = aws_sdk_sesv2::config::Builder::from(&config).timeout_config(waits).build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            ses: aws_sdk_sesv2::Client::from_conf(ses),
        }
    }
}
