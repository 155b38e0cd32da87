//! The record of what was called: one [`Call`] per HTTP attempt of an SDK client.

use bytes::Bytes;
use serde_json::Value;

use crate::fault::Fault;

/// The services that have a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Tables.
    DynamoDb,
    /// Queues.
    Sqs,
    /// Keys.
    Kms,
    /// Objects.
    S3,
    /// Configured secrets.
    SecretsManager,
    /// Mail.
    Ses,
    /// Stripe: no AWS service, but an I/O point like them.
    Stripe,
}

impl Service {
    /// The prefix of the service's IAM actions; Stripe has none, and its calls need none.
    pub fn iam_prefix(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::Kms => "kms",
            Self::S3 => "s3",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "ses",
            Self::Stripe => "stripe",
        }
    }
}

/// One HTTP attempt. A call that the SDK retried appears once per attempt.
#[derive(Debug, Clone)]
pub struct Call {
    /// Counted from 0 since the account was made or the calls were last cleared.
    pub number: usize,
    /// Which process made it: 0, or the number [`crate::InProcess::another_process`] was given.
    pub process: usize,
    /// The service called.
    pub service: Service,
    /// The operation, as AWS names it: `TransactWriteItems`. For Stripe method and path, ids replaced:
    /// `POST /v1/refunds/:id/cancel`.
    pub operation: String,
    /// Tables, queue URL, key id, `bucket/key`, secret id, the address that a mail is from, or Stripe's path, in the order of the request, each once.
    pub targets: Vec<String>,
    /// The request body as the service would see it (after `aws-chunked` decoding).
    pub body: Bytes,
    /// What was injected.
    pub fault: Option<Fault>,
    /// The status answered; `None` while under way, after a crash, or after a reset connection.
    pub status: Option<u16>,
    /// Capacity units consumed, as DynamoDB counts them: of writing if the call writes, of reading if it reads. Only
    /// once [`crate::InProcess::measure_capacity`] was called; applied calls only.
    pub capacity_units: Option<f64>,
    /// When it entered the gate, in ticks of the account.
    pub(crate) entered: u64,
    /// When it left the gate, in ticks of the account.
    pub(crate) left: Option<u64>,
}

impl Call {
    /// Whether the call only reads.
    pub fn is_read(&self) -> bool {
        is_read(&self.operation)
    }

    /// The IAM actions that the call needs, each with its target: a transaction needs the action of each of its items,
    /// a sealed or locked write its companions.
    pub fn iam_actions(&self) -> Vec<(String, String)> {
        if self.service == Service::Stripe {
            return Vec::new();
        }
        let prefix = self.service.iam_prefix();
        let action = |name: &str, target: &str| (format!("{prefix}:{name}"), target.to_owned());
        if let Some(items) = self.transaction_items() {
            let mut actions = items.iter().map(|(name, table)| action(name, table)).collect::<Vec<_>>();
            actions.sort();
            actions.dedup();
            return actions;
        }
        let name = match (self.service, self.operation.as_str()) {
            (Service::S3, "HeadObject") => "GetObject",
            (Service::S3, "ListObjectsV2") => "ListBucket",
            (Service::Sqs, "SendMessageBatch") => "SendMessage",
            (_, other) => other,
        };
        self.targets.iter().map(|target| action(name, target)).collect()
    }

    fn transaction_items(&self) -> Option<Vec<(&'static str, String)>> {
        if self.service != Service::DynamoDb || !self.operation.starts_with("Transact") {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let items = body.get("TransactItems")?.as_array()?;
        Some(items.iter().filter_map(transaction_item).collect())
    }
}

fn transaction_item(item: &Value) -> Option<(&'static str, String)> {
    const KINDS: [(&str, &str); 5] = [
        ("Put", "PutItem"),
        ("Update", "UpdateItem"),
        ("Delete", "DeleteItem"),
        ("ConditionCheck", "ConditionCheckItem"),
        ("Get", "GetItem"),
    ];
    KINDS.iter().find_map(|(kind, action)| {
        let table = item.get(kind)?.get("TableName")?.as_str()?;
        Some((*action, table.to_owned()))
    })
}

pub(crate) fn is_read(operation: &str) -> bool {
    operation.starts_with("GET ") || is_aws_read(operation)
}

fn is_aws_read(operation: &str) -> bool {
    matches!(
        operation,
        "GetItem"
            | "Query"
            | "Scan"
            | "BatchGetItem"
            | "TransactGetItems"
            | "DescribeTable"
            | "GetQueueAttributes"
            | "Encrypt"
            | "Decrypt"
            | "GenerateMac"
            | "VerifyMac"
            | "Sign"
            | "Verify"
            | "GetPublicKey"
            | "DescribeKey"
            | "GetObject"
            | "HeadObject"
            | "ListObjectsV2"
            | "GetSecretValue"
    )
}

/// A list of calls, oldest first, with the questions tests ask of it.
#[derive(Debug, Clone, Default)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// Only those of one service.
    #[must_use]
    pub fn of(&self, service: Service) -> Self {
        Self(self.0.iter().filter(|call| call.service == service).cloned().collect())
    }

    /// Only those of one process.
    #[must_use]
    pub fn by_process(&self, process: usize) -> Self {
        Self(self.0.iter().filter(|call| call.process == process).cloned().collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The operations in order.
    pub fn operations(&self) -> Vec<&str> {
        self.0.iter().map(|call| call.operation.as_str()).collect()
    }

    /// How many times a caller waited: the longest chain of calls of which each began after the one before had
    /// ended. Calls made beside each other (`join!`) are one wait.
    pub fn waits(&self) -> usize {
        let mut spans = self.0.iter().filter_map(|call| Some((call.left?, call.entered))).collect::<Vec<_>>();
        spans.sort_unstable();
        let mut waits = 0;
        let mut free_at = None;
        for (left, entered) in spans {
            if free_at.is_none_or(|end| entered > end) {
                waits += 1;
                free_at = Some(left);
            }
        }
        waits
    }

    /// Write units consumed, where measured.
    pub fn write_units(&self) -> f64 {
        self.0.iter().filter(|call| !call.is_read()).filter_map(|call| call.capacity_units).sum()
    }

    /// Read units consumed, where measured.
    pub fn read_units(&self) -> f64 {
        self.0.iter().filter(|call| call.is_read()).filter_map(|call| call.capacity_units).sum()
    }

    /// Every (IAM action, target) needed, sorted, each once.
    pub fn iam_actions(&self) -> Vec<(String, String)> {
        let mut actions = self.0.iter().flat_map(Call::iam_actions).collect::<Vec<_>>();
        actions.sort();
        actions.dedup();
        actions
    }
}
