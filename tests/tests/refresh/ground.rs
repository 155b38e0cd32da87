//! A connected account in both modes, with tokens that the sandbox has granted, on a clock that costs no time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::Store;
use axiru_aws::connect::developer::Developers;
use axiru_aws::refresh::{Ask, AskQueue, RefreshError, Refreshed, Refresher};
use axiru_aws::seal::{Purpose, Seal, SealContext};
use axiru_aws::tokens::{AccessToken, TokenReader};
use axiru_domain::{Lane, LogId, Mode, Scope, Timestamp};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_ledger::entry::Entry;
use axiru_stripe::base::ApiBase;
use axiru_stripe::rest::Rest;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::stripe::Stripe;
use crate::acting::{acting_as, store_of};

/// The connected account.
pub(crate) const ACCOUNT: &str = "acct_1";

/// Half an hour and more: tokens are due.
pub(crate) const HALF_AN_HOUR: Duration = Duration::from_secs(36 * 60);

/// A clock that follows tokio's.
pub(crate) fn now() -> Timestamp {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let start = *START;
    let passed = Instant::now().saturating_duration_since(start).as_millis();
    Timestamp::from_millis(1_793_404_800_000 + i64::try_from(passed).unwrap()).unwrap()
}

/// A deployment.
pub(crate) struct Ground {
    pub(crate) account: InProcess,
    pub(crate) stripe: Arc<Stripe>,
    pub(crate) retries: Retries,
}

pub(crate) fn scope(mode: Mode) -> Scope {
    Scope::new(mode, ACCOUNT.parse().unwrap())
}

pub(crate) fn ask(mode: Mode) -> Ask {
    Ask { scope: scope(mode), refused: None }
}

/// Runs a story on a paused clock.
pub(crate) fn run(story: impl AsyncFn(&Ground)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { story(&Ground::new(InProcess::new().unwrap(), Retries::Off, false).await).await });
}

impl Ground {
    pub(crate) async fn new(account: InProcess, retries: Retries, replays_tokens: bool) -> Self {
        let stripe = Arc::new(Stripe::new(&account, replays_tokens));
        let ground = Self { account, stripe, retries };
        ground.stripe.control("POST", "accounts", json!({"id": ACCOUNT, "business_name": "Rosa’s Shop"}));
        for mode in Mode::ALL {
            ground.connect(mode, "att_1").await;
        }
        ground
    }

    /// The same deployment, as another process of it.
    pub(crate) fn another(&self) -> Self {
        let account = self.account.another_process();
        let stripe = Arc::new(self.stripe.another(&account));
        Self { account, stripe, retries: self.retries }
    }

    /// The row that connecting leaves behind.
    pub(crate) async fn connect(&self, mode: Mode, attempt: &str) {
        let granted = self.stripe.control("POST", &format!("{mode}/{ACCOUNT}/install"), json!({}))["tokens"].clone();
        let tokens = json!({
            "access_token": granted["access_token"], "refresh_token": granted["refresh_token"], "obtained_at": now().to_string(),
        });
        let sealed = self.sealed(&scope(mode), &tokens).await;
        self.put(mode, ACCOUNT, attempt, sealed).await;
    }

    pub(crate) async fn sealed(&self, scope: &Scope, tokens: &Value) -> Vec<u8> {
        let account = Some(scope.account().clone());
        let context = SealContext { purpose: Purpose::Tokens, mode: scope.mode(), account };
        self.seal().seal(&context, tokens.to_string().as_bytes()).await.unwrap()
    }

    pub(crate) async fn put(&self, mode: Mode, account: &str, attempt: &str, sealed: Vec<u8>) {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let row = [
            ("pk", s(&format!("{mode}#connections"))),
            ("sk", s(account)),
            ("state", s("active")),
            ("lanes", AttributeValue::N("1".to_owned())),
            ("attempt", s(attempt)),
            ("connected_at", s(&now().to_string())),
            ("tokens", AttributeValue::B(Blob::new(sealed))),
            ("tokens_at", s(&now().to_string())),
        ];
        let row = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let dynamodb = self.account.dynamodb(Retries::Off);
        dynamodb.put_item().table_name(local::STATE_TABLE).set_item(Some(row)).send().await.unwrap();
    }

    pub(crate) fn seal(&self) -> Seal {
        Seal::new(self.account.kms(self.retries), local::SEAL_KEY_ID)
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.account.dynamodb(self.retries), local::STATE_TABLE, local::LEDGER_TABLE)
    }

    pub(crate) fn base() -> ApiBase {
        "https://api.stripe.com".parse().unwrap()
    }

    pub(crate) fn refresher(&self) -> Refresher {
        let refresh = acting_as("RefreshRole", &self.account, self.retries);
        let (store, seal) = (store_of(&refresh), Seal::new(refresh.kms, local::SEAL_KEY_ID));
        let developers = Developers::new(refresh.secrets, local::DEVELOPER_SECRET_TEST, local::DEVELOPER_SECRET_LIVE);
        Refresher::new(store, seal, developers, self.stripe.clone(), Self::base()).with_clock(now)
    }

    pub(crate) async fn refresh(&self, mode: Mode) -> Result<Refreshed, RefreshError> {
        self.refresher().refresh(&ask(mode)).await
    }

    /// A reader of tokens, as deciding needs one.
    pub(crate) fn reader(&self) -> TokenReader {
        self.reader_as("DecideRole")
    }

    /// The same under another role.
    pub(crate) fn reader_as(&self, role: &'static str) -> TokenReader {
        let clients = acting_as(role, &self.account, self.retries);
        let (store, seal) = (store_of(&clients), Seal::new(clients.kms, local::SEAL_KEY_ID));
        TokenReader::new(store, seal, AskQueue::new(clients.sqs, local::REFRESH_QUEUE_URL)).with_clock(now)
    }

    /// Whether Stripe accepts a token, for the account and mode it should be of.
    pub(crate) async fn accepts(&self, token: &AccessToken) -> bool {
        let base = Self::base();
        let rest = Rest::new(self.stripe.as_ref(), &base, token.secret());
        rest.profile().await.is_ok_and(|profile| profile.account.as_str() == ACCOUNT)
    }

    /// The asks that wait, taken from the queue as SQS would hand them over.
    pub(crate) async fn take_asks(&self) -> Value {
        let sqs = self.account.sqs(Retries::Off);
        let mut records = Vec::new();
        loop {
            let received = sqs
                .receive_message()
                .queue_url(local::REFRESH_QUEUE_URL)
                .max_number_of_messages(10)
                .send()
                .await
                .unwrap();
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                return json!({ "Records": records });
            }
            for message in messages {
                records.push(json!({"messageId": message.message_id, "body": message.body}));
                let handle = message.receipt_handle.unwrap();
                sqs.delete_message().queue_url(local::REFRESH_QUEUE_URL).receipt_handle(handle).send().await.unwrap();
            }
        }
    }

    /// An attribute of the connection's row, text or number.
    pub(crate) async fn field(&self, mode: Mode, name: &str) -> Option<String> {
        let key = |text: String| AttributeValue::S(text);
        let dynamodb = self.account.dynamodb(Retries::On);
        let request = dynamodb.get_item().table_name(local::STATE_TABLE).consistent_read(true);
        let request = request.key("pk", key(format!("{mode}#connections"))).key("sk", key(ACCOUNT.to_owned()));
        match request.send().await.unwrap().item.unwrap().remove(name)? {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
            other => Some(format!("{other:?}")),
        }
    }

    pub(crate) async fn state(&self, mode: Mode) -> String {
        self.field(mode, "state").await.unwrap()
    }

    /// The entries of a mode's lane 0.
    pub(crate) async fn entries(&self, mode: Mode) -> Vec<Entry> {
        let log = LogId { scope: scope(mode), lane: Lane::ZERO };
        let store = Store::new(self.account.dynamodb(Retries::On), local::STATE_TABLE, local::LEDGER_TABLE);
        store.entries(&log, 0, 100).await.unwrap()
    }
}
