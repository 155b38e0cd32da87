//! A deployment where refunds above 100.00 wait for two groups' people, and everything that asks them, hears them and makes what they
//! approve.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::Store;
use axiru_aws::approval::{
    Ballot, Cast, CastError, Held, LinkCaps, LinkKeys, LinkToken, Minter, OpenError, Opened, Verifier,
};
use axiru_aws::jobs::JobQueue;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_domain::{Choice, PersonId, RequestId};
use axiru_fn_decide::Executions;
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries};
use axiru_policy::Plan;
use axiru_stripe::base::ApiBase;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};
pub(crate) use crate::gateway::ground::{ACCOUNT, Ground, key, now, pass, scope};
use crate::played::MODE;

/// Approvers of the group `finance`.
pub(crate) const ANNA: &str = "per_annaannaannaanna";
pub(crate) const BEN: &str = "per_benbenbenbenbenb";
/// The operator of the agent, who made its key.
pub(crate) const OWEN: &str = "per_0123456789abcdef";

/// The deployment's name.
pub(crate) const DEPLOYMENT: &str = "tests";

/// A deployment with people.
pub(crate) struct Room {
    pub(crate) ground: Ground,
    pub(crate) native: axiru_fn_decide::App,
    pub(crate) worker: axiru_fn_execute::App,
    pub(crate) approve: axiru_fn_approve::App,
}

/// A page as a browser gets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) html: String,
}

impl Got {
    /// Its headline.
    pub(crate) fn h1(&self) -> &str {
        let rest = self.html.split_once("<h1").map_or("", |(_, rest)| rest);
        let rest = rest.split_once('>').map_or("", |(_, rest)| rest);
        rest.split_once("</h1>").map_or(rest, |(h1, _)| h1)
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let (_, rest) = self.html.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    }
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The deployment's address.
pub(crate) const PUBLIC_URL: &str = "https://axiru.example/";

fn link_keys(kms: aws_sdk_kms::Client) -> LinkKeys {
    LinkKeys::new(
        kms,
        [("one".to_owned(), local::LINK_KEY_ID.to_owned()), ("two".to_owned(), local::LINK_KEY_TWO_ID.to_owned())],
    )
}

/// A person's id.
pub(crate) fn person(id: &str) -> PersonId {
    id.parse().unwrap()
}

impl Room {
    /// Anna, Ben and Owen are of `finance`; one of them has to approve.
    pub(crate) async fn new() -> Self {
        Self::with(InProcess::new().unwrap(), Retries::Off).await
    }

    pub(crate) async fn with(account: InProcess, retries: Retries) -> Self {
        let ground = Ground::new(account, retries, "enforce").await;
        let room = Self::process(ground);
        for (id, email) in [(ANNA, "anna@shop.example"), (BEN, "ben@shop.example"), (OWEN, "owen@shop.example")] {
            room.put_person(id, email).await;
        }
        room.put_group("finance", &[ANNA, BEN, OWEN], None, 1).await;
        room
    }

    /// The same deployment in another process: nothing in memory.
    pub(crate) fn restarted(&self) -> Self {
        Self::process(self.ground.restarted())
    }

    fn process(ground: Ground) -> Self {
        let (account, retries) = (&ground.account, ground.retries);
        let base: ApiBase = "https://api.stripe.com".parse().unwrap();
        let decide = acting_as("DecideRole", account, retries);
        let (store, seal) = (store_of(&decide), Seal::new(decide.kms, local::SEAL_KEY_ID));
        let asks = AskQueue::new(decide.sqs.clone(), local::REFRESH_QUEUE_URL);
        let tokens = TokenReader::new(store.clone(), seal.clone(), asks).with_clock(now);
        let reach = Arc::new(Reach::new(Arc::new(ground.stripe.clone()), base.clone(), tokens));
        let jobs = JobQueue::new(decide.sqs, local::EXECUTIONS_QUEUE_URL);
        let native = axiru_fn_decide::App::new(store, None, now).with_executions(Executions { reach, jobs }, seal);
        let execute = acting_as("ExecuteRole", account, retries);
        let (store, seal) = (store_of(&execute), Seal::new(execute.kms, local::SEAL_KEY_ID));
        let asks = AskQueue::new(execute.sqs, local::REFRESH_QUEUE_URL);
        let stripe = Arc::new(ground.stripe.clone());
        let worker = axiru_fn_execute::App::new(store, seal, asks, stripe, base, LinkCaps::default(), now);
        let approve = acting_as("ApproveRole", account, retries);
        let store = store_of(&approve);
        let verifier = Verifier::new(store.clone(), link_keys(approve.kms), DEPLOYMENT);
        let jobs = JobQueue::new(approve.sqs, local::EXECUTIONS_QUEUE_URL);
        let public_url = PUBLIC_URL.parse().unwrap();
        let approve = axiru_fn_approve::App::new(store, verifier, jobs, public_url, now);
        Self { ground, native, worker, approve }
    }

    pub(crate) fn store(&self) -> Store {
        self.ground.store()
    }

    pub(crate) async fn put_person(&self, id: &str, email: &str) {
        self.ground
            .put(&[
                ("pk", s(format!("{MODE}#{ACCOUNT}#persons"))),
                ("sk", s(id)),
                ("emails", AttributeValue::Ss(vec![email.to_owned()])),
                ("created_at", s("2026-10-01T00:00:00.000Z")),
                ("version", n(1)),
            ])
            .await;
    }

    pub(crate) async fn put_group(&self, name: &str, members: &[&str], quorum: Option<u32>, version: u64) {
        let mut row = vec![("pk", s(format!("{MODE}#{ACCOUNT}#groups"))), ("sk", s(name)), ("version", n(version))];
        if !members.is_empty() {
            row.push(("members", AttributeValue::Ss(members.iter().map(|id| (*id).to_owned()).collect())));
        }
        if let Some(quorum) = quorum {
            row.push(("quorum", n(quorum)));
        }
        self.ground.put(&row).await;
    }

    /// A refund of 200.00 through the gateway, which is held; the request's id.
    pub(crate) async fn held(&self, idempotency_key: &str, amount: i64) -> RequestId {
        let told = self.ground.refund(idempotency_key, amount).await;
        assert_eq!((told.status, told.word().as_str()), (400, "approval_required"), "{}", told.text);
        told.body["error"]["approval_request"]["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn read(&self, id: &RequestId) -> Held {
        self.store().held(&scope(), id).await.unwrap().unwrap()
    }

    pub(crate) fn minter(&self) -> Minter {
        Minter::new(self.store(), self.ground.account.kms(self.ground.retries), DEPLOYMENT, "one", local::LINK_KEY_ID)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(self.store(), link_keys(self.ground.account.kms(self.ground.retries)), DEPLOYMENT)
    }

    /// The approve function.
    pub(crate) async fn page(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let event = json!({
            "version": "2.0", "routeKey": "ANY /approvals/{proxy+}", "rawPath": route, "rawQueryString": query, "headers": headers,
            "body": body, "isBase64Encoded": false, "requestContext": {"http": {"method": method, "path": route}},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = axiru_fn_approve::handle(&self.approve, &request).await;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or("-").to_owned()))
            .collect();
        let Body::Text(html) = response.into_body() else { panic!("no page") };
        Got { status, headers, html }
    }

    /// Looks at a link.
    pub(crate) async fn look(&self, link: &str) -> Got {
        self.page("GET", &format!("/approvals/{link}"), &[], "").await
    }

    /// Presses a button on a page, as a browser does.
    pub(crate) async fn press(&self, page: &Got, decision: &str, reason: &str) -> Got {
        let (link, digest) = (page.hidden("link").unwrap(), page.hidden("digest").unwrap());
        self.post("decide", &[("link", &link), ("digest", &digest), ("decision", decision), ("reason", reason)]).await
    }

    /// A form as our own page posts it.
    pub(crate) async fn post(&self, place: &str, fields: &[(&str, &str)]) -> Got {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        self.page("POST", &format!("/approvals/{place}"), &headers, &form.finish()).await
    }

    /// The link that a person gets.
    pub(crate) async fn link(&self, id: &RequestId, who: &str) -> LinkToken {
        let held = self.read(id).await;
        let link = self.minter().link(&held, &person(who), "first", now()).await.unwrap();
        link.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn open(&self, link: &LinkToken) -> Result<Opened, OpenError> {
        self.verifier().open(link, now()).await
    }

    /// Opens a link and answers with it.
    pub(crate) async fn answer(&self, link: &LinkToken, choice: Choice) -> Result<Cast, CastError> {
        let opened = self.open(link).await.unwrap_or_else(|error| panic!("{error}"));
        self.cast(&opened, choice).await
    }

    pub(crate) async fn cast(&self, opened: &Opened, choice: Choice) -> Result<Cast, CastError> {
        let digest = opened.held.digest();
        let ballot = Ballot { choice, digest: &digest, why: None };
        self.store().cast(opened, &ballot, now).await
    }

    /// Hands the worker the job of a request, whether or not one was queued; how many come back.
    pub(crate) async fn work(&self, id: &RequestId) -> usize {
        let job = json!({"job": "execute", "scope": scope().to_string(), "request": id.as_str()}).to_string();
        self.work_on(&[job]).await
    }

    pub(crate) async fn work_on(&self, jobs: &[String]) -> usize {
        let records: Vec<_> =
            jobs.iter().enumerate().map(|(i, body)| json!({"messageId": format!("m{i}"), "body": body})).collect();
        let event = serde_json::from_value(json!({"Records": records})).unwrap();
        axiru_fn_execute::handle(&self.worker, event).await.batch_item_failures.len()
    }

    /// Axiru's own API with the agent's key.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": route, "rawQueryString": query,
            "headers": {"authorization": format!("Bearer {}", key().expose()), "content-type": "application/json"},
            "body": body.to_string(), "isBase64Encoded": false,
            "requestContext": {"http": {"method": method, "path": route}},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = axiru_fn_decide::handle(&self.native, &request).await;
        let status = response.status().as_u16();
        let Body::Text(text) = response.into_body() else { panic!("no text") };
        (status, serde_json::from_str(&text).unwrap())
    }

    /// The request that the agent calls so.
    pub(crate) fn asked_for(idempotency_key: &str) -> RequestId {
        RequestId::of(&scope(), &"agent:ag_1".parse().unwrap(), &idempotency_key.parse().unwrap())
    }

    /// The plan with other rules, in force.
    pub(crate) async fn put_plan(&self, policies: &str, version: u64) {
        self.put_plan_of(&crate::gateway::ground::plan(), policies, version).await;
    }

    /// The plan with another head and other rules, in force.
    pub(crate) async fn put_plan_of(&self, plan: &Value, policies: &str, version: u64) {
        let plan = Plan::parse(&plan.to_string(), policies).unwrap_or_else(|error| panic!("{error}"));
        let heads = json!([{"plan": plan.name(), "policy_mode": "enforce", "sha256": plan.sha256()}]).to_string();
        let pk = |name: &str| s(format!("{MODE}#{ACCOUNT}#{name}"));
        self.ground.put(&[("pk", pk("plans")), ("sk", s("heads")), ("heads", s(heads)), ("version", n(version))]).await;
        let document = AttributeValue::B(Blob::new(plan.document()));
        self.ground.put(&[("pk", pk("plan")), ("sk", s(plan.sha256())), ("document", document)]).await;
    }

    /// A row, past Axiru.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
        let get = self.ground.account.dynamodb(Retries::Off).get_item().table_name(local::STATE_TABLE);
        let got = get.key("pk", s(pk)).key("sk", s(sk)).consistent_read(true).send().await.unwrap();
        got.item.unwrap_or_else(|| panic!("no row {pk} {sk}"))
    }

    /// Changes an attribute of a row, past Axiru.
    pub(crate) async fn set(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        let mut row = self.item(pk, sk).await;
        row.insert(name.to_owned(), value);
        self.put_whole(row).await;
    }

    /// Takes an attribute out of a row, past Axiru.
    pub(crate) async fn unset(&self, pk: &str, sk: &str, name: &str) {
        let mut row = self.item(pk, sk).await;
        row.remove(name);
        self.put_whole(row).await;
    }

    async fn put_whole(&self, row: HashMap<String, AttributeValue>) {
        let put = self.ground.account.dynamodb(Retries::Off).put_item().table_name(local::STATE_TABLE);
        put.set_item(Some(row)).send().await.unwrap();
    }

    /// How many rows hold sealed parameters.
    pub(crate) fn sealed(&self) -> usize {
        let rows = self.ground.account.items(local::STATE_TABLE).unwrap();
        rows.iter().map(|row| format!("{row:?}")).filter(|row| row.contains("\"sealed\"")).count()
    }
}
