//! The names everything has in an in-process account. The doubles know no others; see [`crate::InProcess`] to add more.

/// The region of every client and ARN.
pub const REGION: &str = "eu-west-1";
/// The account id in every ARN.
pub const ACCOUNT_ID: &str = "000000000000";
/// The state table: `pk` (S), `sk` (S).
pub const STATE_TABLE: &str = "axiru-state";
/// The ledger table: `pk` (S), `seq` (N).
pub const LEDGER_TABLE: &str = "axiru-ledger";
/// The observations queue.
pub const OBSERVATIONS_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-observations";
/// Where a message goes after [`MAX_RECEIVES`] receives without a delete.
pub const OBSERVATIONS_DEAD_LETTER_QUEUE_URL: &str =
    "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-observations-dead";
/// The queue of scopes whose tokens are wanted.
pub const REFRESH_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-refresh";
/// Its dead letters.
pub const REFRESH_DEAD_LETTER_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-refresh-dead";
/// The queue of jobs, first in, first out for each group.
pub const EXECUTIONS_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-executions.fifo";
/// Its dead letters.
pub const EXECUTIONS_DEAD_LETTER_QUEUE_URL: &str =
    "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-executions-dead.fifo";
/// The queue of comparisons, first in, first out for each group.
pub const RECONCILE_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-reconcile.fifo";
/// Its dead letters.
pub const RECONCILE_DEAD_LETTER_QUEUE_URL: &str =
    "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-reconcile-dead.fifo";
/// The queue of mails that came back.
pub const RETURNS_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-returns";
/// Its dead letters.
pub const RETURNS_DEAD_LETTER_QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/axiru-returns-dead";
/// How often a message is handed out before it counts as dead.
pub const MAX_RECEIVES: u32 = 5;
/// The symmetric key that seals tokens and signing secrets.
pub const SEAL_KEY_ID: &str = "11111111-0000-4000-8000-000000000001";
/// The Ed25519 key that signs checkpoints.
pub const SIGNING_KEY_ID: &str = "22222222-0000-4000-8000-000000000002";
/// The first HMAC key of links.
pub const LINK_KEY_ID: &str = "33333333-0000-4000-8000-000000000003";
/// The second HMAC key of links.
pub const LINK_KEY_TWO_ID: &str = "44444444-0000-4000-8000-000000000004";
/// The only address that may be mailed from.
pub const MAIL_FROM: &str = "axiru@shop.example";
/// The configuration set of mails.
pub const MAIL_CONFIGURATION_SET: &str = "axiru-mail";
/// The export bucket.
pub const EXPORT_BUCKET: &str = "axiru-export";
/// The developer secret of test mode.
pub const DEVELOPER_SECRET_TEST: &str =
    "arn:aws:secretsmanager:eu-west-1:000000000000:secret:axiru-developer-test-AAAAAA";
/// The developer secret of live mode.
pub const DEVELOPER_SECRET_LIVE: &str =
    "arn:aws:secretsmanager:eu-west-1:000000000000:secret:axiru-developer-live-BBBBBB";
/// What the test mode's developer secret holds at the start.
pub const DEVELOPER_SECRET_TEST_VALUE: &str =
    r#"{"client_id":"ca_inprocess_test","developer_key":"sk_test_inprocess_developer"}"#;
/// What the live mode's developer secret holds at the start.
pub const DEVELOPER_SECRET_LIVE_VALUE: &str =
    r#"{"client_id":"ca_inprocess_live","developer_key":"sk_live_inprocess_developer"}"#;
