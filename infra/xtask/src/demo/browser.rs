//! A browser as small as the story needs: pages, forms, one cookie, no redirect followed unseen. What Axiru shows is kept beside the logs, for
//! whoever wants to know what stands in it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::stack::Stack;

/// A page or a redirect.
pub(super) struct Answer {
    status: StatusCode,
    location: Option<String>,
    /// The page.
    pub(super) body: String,
}

/// One person's browser.
pub(super) struct Browser {
    client: Client,
    cookie: Option<String>,
    /// Axiru's own address, and where its pages are kept.
    axiru: (String, PathBuf),
}

/// Where the pages of a run are kept.
pub(super) fn pages(stack: &Stack) -> PathBuf {
    stack.folder.join("pages")
}

impl Browser {
    pub(super) fn new(stack: &Stack) -> Result<Self> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, cookie: None, axiru: (stack.url.clone(), pages(stack)) })
    }

    /// Opens a page.
    pub(super) async fn open(&mut self, url: &str) -> Result<Answer> {
        let request = self.client.get(url);
        self.send(request).await
    }

    /// Sends a form.
    pub(super) async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let body = serde_urlencoded::to_string(fields)?;
        let request = self.client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        self.send(request).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Result<Answer> {
        let request = match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let answer = request.send().await.context("nobody answers")?;
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if let Some(cookie) = text(SET_COOKIE) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let (status, location, url) = (answer.status(), text(LOCATION), answer.url().clone());
        let body = answer.text().await?;
        let (axiru, folder) = &self.axiru;
        if url.as_str().starts_with(axiru.as_str()) {
            std::fs::create_dir_all(folder)?;
            let before = std::fs::read_dir(folder)?.count();
            std::fs::write(folder.join(format!("{before:03}{}.html", url.path().replace('/', "-"))), &body)?;
        }
        Ok(Answer { status, location, body })
    }
}

impl Answer {
    /// The page, if it is one.
    pub(super) fn page(self) -> Result<Self> {
        ensure!(self.status.is_success(), "the page answered {}: {}", self.status, title(&self.body));
        Ok(self)
    }

    /// Where the person is sent.
    pub(super) fn redirect(self) -> Result<String> {
        match self.location {
            Some(location) if self.status.is_redirection() => Ok(location),
            _ => bail!("expected to be sent on, got {}: {}", self.status, title(&self.body)),
        }
    }

    /// The value of a hidden field of the form whose fields have `marker` among their values; the first form for an empty one.
    pub(super) fn hidden(&self, name: &str, marker: &str) -> Result<String> {
        let form = self.body.split("<form").skip(1).find(|form| form.contains(marker)).context("no such form")?;
        let field = form.split("<input").find(|field| field.contains(&format!("name=\"{name}\"")));
        let value = field.and_then(|field| field.split("value=\"").nth(1)?.split('"').next());
        Ok(value.with_context(|| format!("the form has no field `{name}`"))?.replace("&amp;", "&"))
    }
}

fn title(page: &str) -> &str {
    page.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap_or(page).get(..200).unwrap_or(page)
}
