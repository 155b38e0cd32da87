//! A connected account with one enforced plan, agents with a key each, and a decider in this process.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::Store;
use axiru_aws::decide::{Ask, Decider, Purpose};
use axiru_aws::plans::{PlanHead, PlanHeads};
use axiru_domain::{Claimed, Intent, KeyId, KeyToken, Kind, Mode, Money, ObjectRole, PolicyMode, Timestamp};
use axiru_in_process::{InProcess, LEDGER_TABLE, Retries, STATE_TABLE};
use axiru_policy::Plan;
use serde_json::{Value, json};
use tokio::time::Instant;

/// 2026-10-31 12:00 UTC.
const NOON: i64 = 1_793_448_000_000;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Refunds up to 1,000.00 are allowed, above they are held.
const POLICIES: &str = r#"
@id("allow") permit(principal, action == Axiru::Action::"refund", resource);
@id("hold-large") @require_approval("finance") @expires("2h")
forbid(principal, action == Axiru::Action::"refund", resource)
when { context.currency == "usd" && context.amount_minor > 100000 };
"#;

/// Noon and what tokio's clock, paused or not, has counted since.
fn now() -> Timestamp {
    let since = Instant::now().saturating_duration_since(*STARTED);
    Timestamp::from_millis(NOON + i64::try_from(since.as_millis()).unwrap()).unwrap()
}

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A limit that is never passed.
pub(crate) fn limit(per: &str, window: &str) -> Value {
    json!({
        "id": format!("{per}-{window}"), "per": per, "kinds": ["refund"], "currency": "usd",
        "window": {"calendar": window, "zone": "UTC"}, "max_amount": 1_000_000_000_000_i64, "on_exceed": "block",
    })
}

/// What decides, and what it decides on.
pub(crate) struct Ground {
    pub(crate) account: InProcess,
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) decider: Decider,
}

impl Ground {
    /// An account with so many lanes and agents, and one enforced plan with these limits.
    pub(crate) async fn new(lanes: u16, agents: usize, limits: &[Value]) -> Self {
        let account = InProcess::new().unwrap();
        let client = account.dynamodb(Retries::On);
        LazyLock::force(&STARTED);
        let decider = Decider::new(Store::new(client.clone(), STATE_TABLE, LEDGER_TABLE)).with_clock(now);
        let ground = Self { account, client, decider };
        let connection = [
            ("pk", s("test#connections")),
            ("sk", s("acct_1")),
            ("state", s("active")),
            ("lanes", n(lanes)),
            ("attempt", s("att_1")),
            ("connected_at", s("2026-10-01T00:00:00.000Z")),
        ];
        ground.put(&connection).await;
        ground.put_plan(limits).await;
        for agent in 0..agents {
            ground.put_key(agent).await;
        }
        ground
    }

    async fn put_plan(&self, limits: &[Value]) {
        let mut plan = json!({"v": 1, "name": "refunds", "description": "Refunds by agents.", "kinds": ["refund"]});
        if !limits.is_empty() {
            plan["limits"] = limits.into();
        }
        let plan = Plan::parse(&plan.to_string(), POLICIES).unwrap();
        let head = PlanHead {
            plan: plan.name().to_owned(),
            sha256: plan.sha256().to_owned(),
            policy_mode: PolicyMode::Enforce,
        };
        let heads = [head].into_iter().collect::<PlanHeads>().row(&"test/acct_1".parse().unwrap());
        self.client.put_item().table_name(STATE_TABLE).set_item(Some(heads)).send().await.unwrap();
        let document = AttributeValue::B(Blob::new(plan.document()));
        self.put(&[("pk", s("test#acct_1#plan")), ("sk", s(plan.sha256())), ("document", document)]).await;
    }

    async fn put_key(&self, agent: usize) {
        let token = token(agent);
        let row = [
            ("pk", s("test#keys")),
            ("sk", s(token.id().as_str())),
            ("secret_sha256", s(token.sha256().to_string())),
            ("actor", s(format!("agent:ag_{agent}"))),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", AttributeValue::Ss(vec!["acct_1".to_owned()])),
            ("state", s("active")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", n(10_000)),
            ("label", s("")),
            ("change", s("chg_1")),
        ];
        self.put(&row).await;
    }

    async fn put(&self, item: &[(&str, AttributeValue)]) {
        let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.client.put_item().table_name(STATE_TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

fn token(agent: usize) -> KeyToken {
    let mut id = [0; 12];
    id[0] = (agent % 36) as u8;
    id[1] = (agent / 36 % 36) as u8;
    id[2] = (agent / 1_296) as u8;
    KeyToken::from_random(Mode::Test, KeyId::from_random(id), &[7; 32])
}

/// An agent asks to refund 45.00 of a charge that nobody else asks about.
pub(crate) fn ask(agent: usize, number: usize) -> Ask {
    let money = Money::new(4_500, "usd".parse().unwrap()).unwrap();
    let charge = format!("ch_3PqXyzAbCdEfGh{number:08}").parse().unwrap();
    Ask {
        token: token(agent),
        account: "acct_1".parse().unwrap(),
        intent: Intent::new(Kind::Refund, money, BTreeMap::from([(ObjectRole::Charge, charge)])).unwrap(),
        reason: None,
        method: None,
        claimed: Claimed::default(),
        rationale: None,
        metadata: BTreeMap::new(),
        idempotency_key: format!("case-{number:08}").parse().unwrap(),
        purpose: Purpose::Advise,
        parameters: None,
    }
}
