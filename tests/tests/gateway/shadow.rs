//! The shadow promise: a day of calls straight to Stripe and the same day through the gateway, with every plan in shadow.

use std::collections::BTreeMap;

use axiru_in_process::{Fault, InProcess, Retries, Service};
use axiru_stripe_sandbox::{ALL_PERMISSIONS, ApiRequest};
use serde_json::{Value, json};

use super::day::{Step, Write, day};
use super::ground::{ACCOUNT, Ground, now, pass};
use crate::played::MODE;

/// Of one hop, not of the answer.
const HOP: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

/// One of the two: a sandboxed Stripe, and what its ids are called on this side.
struct Side {
    ground: Ground,
    token: String,
    /// Ids by the names that steps call them by.
    named: BTreeMap<String, String>,
    /// Ids in the order in which they were seen.
    seen: BTreeMap<String, usize>,
}

/// What a caller is answered, with ids numbered.
#[derive(Debug, PartialEq)]
struct Said {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Side {
    async fn new() -> Self {
        let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, "shadow").await;
        let granted = ground.control(&format!("{MODE}/{ACCOUNT}/install"), json!({}));
        let token = granted["tokens"]["access_token"].as_str().unwrap().to_owned();
        let mut side = Self { ground, token, named: BTreeMap::new(), seen: BTreeMap::new() };
        for name in ["c1", "c2", "c3", "c4", "c5", "c6", "c7"] {
            let body = json!({"amount": 500_000, "currency": "usd", "with_payment_intent": true});
            let made = side.ground.control(&format!("{MODE}/{ACCOUNT}/charges"), body);
            side.named.insert(name.to_owned(), made["id"].as_str().unwrap().to_owned());
            side.named.insert(format!("pi_{name}"), made["payment_intent"].as_str().unwrap_or("-").to_owned());
        }
        side
    }

    /// The text with the side's own ids.
    fn own(&self, text: &str) -> String {
        self.named.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }

    /// The text with ids numbered as they appear: both sides make their own.
    fn numbered(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut word = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_ascii_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            let id = word.rsplit_once('_').filter(|(_, tail)| {
                tail.len() >= 14 && tail.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            });
            match id {
                Some((prefix, _)) => {
                    let next = self.seen.len();
                    let number = self.seen.entry(word.clone()).or_insert(next);
                    out.push_str(&format!("{prefix}_#{number}"));
                }
                None => out.push_str(&word),
            }
            out.push(c);
            word.clear();
        }
        out
    }

    fn control(&mut self, step: &Step) {
        let made = self.ground.control(
            &format!("{MODE}/{ACCOUNT}/{}", self.own(step.path)),
            serde_json::from_str(&self.own(step.body)).unwrap(),
        );
        self.name(step, &made);
    }

    fn name(&mut self, step: &Step, made: &Value) {
        if let (Some(name), Some(id)) = (step.named, made["id"].as_str()) {
            self.named.insert(name.to_owned(), id.to_owned());
        }
    }

    /// Straight to Stripe, with an access token of the account.
    fn directly(&mut self, step: &Step) -> Said {
        let (path, body) = (self.own(step.path), self.own(step.body));
        let (route, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        for (name, value) in step.headers() {
            headers.insert(http::HeaderName::from_static(name), value.parse().unwrap());
        }
        let sandbox = self.ground.stripe.sandbox();
        sandbox.control("POST", "clock", json!({"set": now().secs()})).unwrap();
        let answer = sandbox.api(&ApiRequest {
            method: step.method.to_owned(),
            path: route.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.into_bytes(),
        });
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.said(step, answer.status, headers, &answer.body)
    }

    /// Through the gateway, with an Axiru key.
    async fn through(&mut self, step: &Step) -> Said {
        let authorization = format!("Bearer {}", super::ground::key().expose());
        let (path, body) = (self.own(step.path), self.own(step.body));
        let own = step.headers();
        let mut headers: Vec<(&str, &str)> = vec![("authorization", &authorization)];
        headers.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = self.ground.raw(step.method, &path, &headers, &body).await;
        self.said(step, answer.status, answer.headers, &answer.text)
    }

    fn said(&mut self, step: &Step, status: u16, headers: BTreeMap<String, String>, text: &str) -> Said {
        if let Ok(made) = serde_json::from_str(text) {
            self.name(step, &made);
        }
        let headers = headers.into_iter().filter(|(name, _)| !HOP.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name, self.numbered(&value))).collect();
        Said { status, headers, body: self.numbered(text) }
    }

    /// What is at Stripe.
    fn state(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for path in ["/v1/refunds", "/v1/payouts", "/v1/transfers", "/v1/disputes"] {
            let found = self.ground.at_stripe(path);
            assert!(found.len() > 2, "{path}: {}", found.len());
            all.extend(found.into_iter().map(|object| self.numbered(&object.to_string())));
        }
        all
    }
}

/// What goes wrong on Axiru's side at every call of the day.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Nothing,
    Kms,
    Store,
}

/// The same text without its moments: a call that has to wait is made a little later.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
        if digits.len() == 10 { out.push_str(&piece.replace(digits, "<moment>")) } else { out.push_str(piece) }
    }
    out
}

async fn compared(trouble: Trouble) -> (Side, usize) {
    let (mut without, mut with) = (Side::new().await, Side::new().await);
    let warm = Step::get("/v1/refunds?limit=1");
    let mut wrong = Vec::new();
    let mut noted = 0;
    let steps = day();
    for step in &steps {
        if step.method == "CONTROL" {
            without.control(step);
            with.control(step);
            continue;
        }
        let before = with.ground.entries().await.len();
        if trouble != Trouble::Nothing {
            // What is in memory is at most half a minute old.
            assert_eq!(without.directly(&warm).status, with.through(&warm).await.status);
        }
        let broken = match trouble {
            Trouble::Nothing => None,
            Trouble::Kms => Some(Service::Kms),
            Trouble::Store => Some(Service::DynamoDb),
        };
        if let Some(broken) = broken {
            with.ground.account.faults().decide(move |call| (call.service == broken).then_some(Fault::Fail));
        }
        let (expected, told) = (without.directly(step), with.through(step).await);
        with.ground.account.faults().clear();
        let same = if trouble == Trouble::Store {
            (expected.status, timeless(&expected.body)) == (told.status, timeless(&told.body))
        } else {
            expected == told
        };
        if !same {
            wrong.push(format!("{} {} {}\n  {expected:?}\n  {told:?}", step.method, step.path, step.body));
        }
        let new = with.ground.entries().await.split_off(before);
        let types: Vec<_> = new.iter().map(|entry| entry.ty()).collect();
        let fits = match step.write {
            _ if trouble == Trouble::Store => types.is_empty(),
            Write::No | Write::Again => types.is_empty(),
            Write::Decided => types == ["decision.made"] || types == ["decision.made", "decision.expired"],
            Write::Passed => types == ["call.passed"],
        };
        if !fits {
            wrong.push(format!(
                "{} {} {}: entries {types:?}, expected {:?}",
                step.method, step.path, step.body, step.write
            ));
        }
        noted += types.len();
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), steps.len(), wrong.join("\n"));
    let (expected, found) = (without.state(), with.state());
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(timeless(expected), timeless(found));
    }
    assert_eq!(expected.len(), found.len());
    println!("{} steps the same, {noted} entries, {} objects", steps.len(), found.len());
    (with, noted)
}

#[tokio::test(start_paused = true)]
async fn a_day_in_shadow_is_the_same_day() {
    let (with, _) = compared(Trouble::Nothing).await;
    // What enforcement would have done is in the record.
    let would_be = |amount: i64| {
        let with = &with;
        async move {
            let entries = with.ground.entries().await;
            let made = entries.into_iter().find(|entry| entry.fields().get("amount_minor") == Some(&json!(amount)));
            let decision = made.unwrap().fields()["decision"].clone();
            (decision["outcome"].as_str().unwrap().to_owned(), decision["would_be"].as_str().unwrap().to_owned())
        }
    };
    let word = |outcome: &str, would_be: &str| (outcome.to_owned(), would_be.to_owned());
    assert_eq!(would_be(700).await, word("allow", "allow"));
    assert_eq!(would_be(20_000).await, word("allow", "require_approval"));
    assert_eq!(would_be(200_000).await, word("allow", "block"));
    assert!(with.ground.made_refunds().is_empty(), "what is passed on bears no mark");
}

#[tokio::test(start_paused = true)]
async fn a_day_in_shadow_without_the_key_service_is_the_same_day() {
    let (_, noted) = compared(Trouble::Kms).await;
    assert!(noted > 40, "{noted}");
}

#[tokio::test(start_paused = true)]
async fn a_day_in_shadow_without_the_store_is_the_same_day() {
    let (_, noted) = compared(Trouble::Store).await;
    assert_eq!(noted, 0);
}

/// A write that is decided, one that passes, one that cannot be read, a side door and a read.
const CALLS: [(&str, &str, &str); 5] = [
    ("POST", "/v1/refunds", "charge={c1}&amount=100"),
    ("POST", "/v1/payouts/po_1AAAAAAAAAAAAAAAAAAAAAAA/cancel", ""),
    ("POST", "/v1/refunds", "charge={c1}&amount=100&unknown=1"),
    ("POST", "/v1/credit_notes", "invoice=in_1"),
    ("GET", "/v1/refunds", ""),
];

#[tokio::test(start_paused = true)]
async fn what_was_read_too_long_ago_sends_nothing() {
    for (mode, secs, sent) in [("shadow", 1, true), ("shadow", 40, false), ("enforce", 1, false)] {
        let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, mode).await;
        for (method, path, form) in CALLS {
            ground.account.faults().clear();
            assert_eq!(ground.call("GET", "/v1/refunds", &[], "").await.status, 200);
            pass(secs).await;
            ground.account.faults().decide(|call| (call.service == Service::DynamoDb).then_some(Fault::Fail));
            ground.account.clear_calls();
            let form = form.replace("{c1}", &ground.charge);
            let answer = ground.call(method, path, &[("idempotency-key", "k")], &form).await;
            let asked = ground.account.calls().of(Service::Stripe);
            let made = asked.operations().iter().any(|operation| *operation != "GET /v1/charges/:id");
            assert_eq!(made, sent, "{mode} {secs} {method} {path}: {} {:?}", answer.text, asked.operations());
            if !sent {
                let told = (answer.status, answer.word(), answer.again());
                assert_eq!(
                    told,
                    (503, "axiru_unavailable".to_owned(), Some(true)),
                    "{mode} {secs} {path}: {}",
                    answer.text
                );
            }
        }
        ground.account.faults().clear();
        let expected = usize::from(sent);
        assert_eq!(ground.at_stripe("/v1/refunds").len(), expected, "{mode} {secs}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_missing_is_told_with_its_remedy() {
    let reads: Vec<_> = ALL_PERMISSIONS.into_iter().filter(|name| name.ends_with("_read")).collect();
    for mode in ["shadow", "enforce"] {
        let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, mode).await;
        let made = |path: &str, body: Value| {
            ground.control(&format!("{MODE}/{ACCOUNT}/{path}"), body)["id"].as_str().unwrap().to_owned()
        };
        let dispute = made("disputes", json!({"charge": ground.charged(900)}));
        let transfer = made("transfers", json!({"destination": "acct_payee", "amount": 500, "currency": "usd"}));
        let payout = made("payouts", json!({"amount": 500, "currency": "usd"}));
        let refund = made("refunds", json!({"charge": ground.charge, "amount": 5}));
        let before = ground.at_stripe("/v1/refunds");
        ground.control(&format!("apps/{MODE}"), json!({"permissions": reads}));
        for (i, (path, form, name)) in [
            ("/v1/refunds".to_owned(), format!("charge={}&amount=100", ground.charge), "charge_write"),
            (format!("/v1/refunds/{refund}"), "metadata[a]=b".to_owned(), "charge_write"),
            ("/v1/payouts".to_owned(), "amount=100&currency=usd".to_owned(), "payout_write"),
            (format!("/v1/payouts/{payout}/cancel"), String::new(), "payout_write"),
            ("/v1/transfers".to_owned(), "amount=100&currency=usd&destination=acct_payee".to_owned(), "transfer_write"),
            (format!("/v1/transfers/{transfer}/reversals"), "amount=100".to_owned(), "transfer_write"),
            (
                format!("/v1/disputes/{dispute}"),
                "evidence[product_description]=x&submit=false".to_owned(),
                "dispute_write",
            ),
            (format!("/v1/disputes/{dispute}/close"), String::new(), "dispute_write"),
        ]
        .into_iter()
        .enumerate()
        {
            let answer = ground.post(&format!("k{i}"), &path, &form).await;
            let told = (answer.status, answer.word(), answer.again());
            assert_eq!(
                told,
                (403, "axiru_permission_missing".to_owned(), Some(false)),
                "{mode} {path}: {}",
                answer.text
            );
            assert!(
                answer.text.contains(&format!("`{name}`")) && answer.text.contains("axiru connect"),
                "{}",
                answer.text
            );
            assert!(!answer.text.contains("rk_"), "{}", answer.text);
        }
        if mode == "shadow" {
            // The app asks for no permission of a side door.
            let answer = ground.post("door", "/v1/payment_intents/pi_1/cancel", "").await;
            assert_eq!((answer.status, answer.word().as_str()), (403, "axiru_permission_missing"), "{}", answer.text);
            assert!(answer.text.contains("your own Stripe client") && !answer.text.contains("rk_"), "{}", answer.text);
        }
        // Known from now on, so that nothing more can be switched to enforce.
        let types = ground.types().await;
        assert_eq!(types.iter().filter(|ty| *ty == "connection.permissions_changed").count(), 1, "{types:?}");
        ground.control(&format!("apps/{MODE}"), json!({"permissions": []}));
        for (path, name) in [
            ("/v1/refunds", "charge_read"),
            ("/v1/charges/ch_1/refunds", "charge_read"),
            ("/v1/payouts?limit=3", "payout_read"),
            ("/v1/transfers/tr_1/reversals", "transfer_read"),
            ("/v1/disputes", "dispute_read"),
        ] {
            let answer = ground.call("GET", path, &[], "").await;
            assert_eq!((answer.status, answer.word().as_str()), (403, "axiru_permission_missing"), "{}", answer.text);
            assert!(answer.text.contains(&format!("`{name}`")) && !answer.text.contains("rk_"), "{}", answer.text);
        }
        ground.control(&format!("apps/{MODE}"), json!({"permissions": ALL_PERMISSIONS}));
        assert_eq!(ground.at_stripe("/v1/refunds"), before, "{mode}");
        assert!(ground.actor_counters().await.starts_with("{}"), "{}", ground.actor_counters().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_has_read_nothing_sends_nothing_while_the_store_is_down() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off, "shadow").await;
    assert_eq!(ground.call("GET", "/v1/refunds", &[], "").await.status, 200);
    let cold = ground.restarted();
    cold.account.faults().decide(|call| (call.service == Service::DynamoDb).then_some(Fault::Reset));
    cold.account.clear_calls();
    for (method, path, form) in CALLS {
        let form = form.replace("{c1}", &cold.charge);
        let answer = cold.call(method, path, &[("idempotency-key", "k")], &form).await;
        let told = (answer.status, answer.word(), answer.again());
        assert_eq!(told, (503, "axiru_unavailable".to_owned(), Some(true)), "{path}: {}", answer.text);
    }
    assert!(cold.account.calls().of(Service::Stripe).is_empty());
}
