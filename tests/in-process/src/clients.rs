//! The SDK clients of an account: the real ones, over the in-process connector.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};

use crate::names::REGION;
use crate::world::InProcess;

/// Whether the SDK retries by itself. What a fault means to the caller depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// The SDK's standard mode: three attempts, first back-off at most 50 ms.
    On,
    /// One attempt.
    Off,
}

impl Retries {
    /// Both, for a test that must hold with either.
    pub const BOTH: [Self; 2] = [Self::On, Self::Off];

    fn config(self) -> RetryConfig {
        match self {
            Self::On => RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)),
            Self::Off => RetryConfig::disabled(),
        }
    }
}

/// Every service crate has its own `Config` with the same settings.
macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident $(, $setting:ident)?) => {
        $(#[$doc])*
        pub fn $name(&self, retries: Retries) -> $sdk::Client {
            let config = $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static(REGION))
                .credentials_provider(Credentials::new("in-process", "in-process", None, None, "in-process"))
                .http_client(self.http_client())
                .retry_config(retries.config())
                // The usual bucket of retry tokens is one for the whole test program: a few hundred injected faults
                // would empty it and quietly switch retries off.
                .retry_partition(RetryPartition::custom("in-process").build())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                $(.$setting(true))?
                .build();
            $sdk::Client::from_conf(config)
        }
    };
}

impl InProcess {
    client!(
        /// A DynamoDB client of this process.
        dynamodb, aws_sdk_dynamodb
    );
    client!(
        /// An SQS client of this process.
        sqs, aws_sdk_sqs
    );
    client!(
        /// A KMS client of this process.
        kms, aws_sdk_kms
    );
    client!(
        /// An S3 client of this process.
        s3, aws_sdk_s3, force_path_style
    );
    client!(
        /// A Secrets Manager client of this process.
        secrets, aws_sdk_secretsmanager
    );
    client!(
        /// An SES client of this process.
        ses, aws_sdk_sesv2
    );
}
