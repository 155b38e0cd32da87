//! The sandbox's control API: what a merchant does in Stripe's Dashboard, and what chance does to deliveries.

use anyhow::{Context, Result, ensure};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// Calls the control API.
pub(super) struct Control {
    client: reqwest::Client,
    base: String,
}

impl Control {
    pub(super) fn new(sandbox_url: &str) -> Self {
        Self { client: reqwest::Client::new(), base: format!("{sandbox_url}/_sandbox") }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.read(self.client.get(format!("{}/{path}", self.base)), path).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.client.post(format!("{}/{path}", self.base));
        self.read(request.header(CONTENT_TYPE, "application/json").body(body.to_string()), path).await
    }

    async fn read(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Value> {
        let answer = request.send().await.context("the sandbox does not answer")?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "the sandbox refused {path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("the sandbox answered {path} with no JSON"))
    }

    /// The id of the object that a call makes.
    pub(super) async fn make(&self, path: &str, body: Value) -> Result<String> {
        let made = self.post(path, body).await?;
        Ok(made["id"].as_str().with_context(|| format!("{path} made no object: {made}"))?.to_owned())
    }

    /// The mails that the local stack has taken, the newest first.
    pub(super) async fn mails(&self) -> Result<Vec<Value>> {
        let url = self.base.replace("/_sandbox", "/mailbox.json");
        let mails = self.read(self.client.get(url), "mailbox.json").await?;
        let list = mails.as_array().or_else(|| mails["mails"].as_array());
        Ok(list.with_context(|| format!("no list of mails: {mails}"))?.clone())
    }

    /// Waits until every delivery was tried, and tried again where Stripe would.
    pub(super) async fn delivered(&self) -> Result<()> {
        let done = self.post("deliveries/wait", json!({"timeout_ms": 60_000, "until": "finished"})).await?;
        ensure!(done["settled"] == true, "webhooks are still not delivered after a minute");
        Ok(())
    }
}
