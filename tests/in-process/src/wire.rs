//! A request as a double sees it, and its answer.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use serde_json::Value;

use crate::aws_chunked;
use crate::call::Service;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct WireRequest {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) method: String,
    /// Bucket and key for S3 (percent-decoded), empty otherwise.
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case; trailers of a chunked body are among them.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl WireRequest {
    /// Reads a request to its end. `Err` says what a double cannot understand.
    pub(crate) async fn read(mut request: HttpRequest) -> Result<Self, String> {
        let uri = request.uri().to_owned();
        let method = request.method().to_owned();
        let mut headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect::<Vec<_>>();
        let body =
            ByteStream::new(request.take_body()).collect().await.map_err(|error| error.to_string())?.into_bytes();
        let chunked = headers.iter().any(|(name, value)| name == "content-encoding" && value.contains("aws-chunked"));
        let body = if chunked {
            let (body, trailers) = aws_chunked::decode(&body)?;
            headers.extend(trailers);
            body
        } else {
            body
        };
        let (host, path, query) = split(&uri);
        let target = headers.iter().find(|(name, _)| name == "x-amz-target").map(|(_, value)| value.clone());
        let mut wire = Self {
            service: Service::S3,
            operation: String::new(),
            method,
            bucket: String::new(),
            key: String::new(),
            query: pairs(query),
            headers,
            body,
        };
        match target {
            Some(target) => {
                let (prefix, operation) = target.split_once('.').ok_or_else(|| format!("target `{target}`"))?;
                wire.operation = operation.to_owned();
                wire.service = match prefix {
                    "DynamoDB_20120810" => Service::DynamoDb,
                    "AmazonSQS" => Service::Sqs,
                    "TrentService" => Service::Kms,
                    "secretsmanager" => Service::SecretsManager,
                    _ => return Err(format!("no double answers `{target}`")),
                };
            }
            None if path.starts_with("v2/email/") => {
                wire.service = Service::Ses;
                wire.operation = match (wire.method.as_str(), path) {
                    ("POST", "v2/email/outbound-emails") => "SendEmail",
                    _ => "Unknown",
                }
                .to_owned();
            }
            None => wire.read_s3_address(host, path),
        }
        Ok(wire)
    }

    fn read_s3_address(&mut self, host: &str, path: &str) {
        let path = percent_decode(path.trim_start_matches('/'));
        // Virtual-hosted style has the bucket before `.s3.`, path style in front of the key.
        let (bucket, key) = match host.split_once(".s3.") {
            Some((bucket, _)) => (bucket.to_owned(), path),
            None => match path.split_once('/') {
                Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
                None => (path, String::new()),
            },
        };
        self.bucket = bucket;
        self.key = key;
        self.operation = match (self.method.as_str(), self.key.is_empty()) {
            ("PUT", false) => "PutObject",
            ("GET", false) => "GetObject",
            ("HEAD", false) => "HeadObject",
            ("GET", true) if self.query("list-type") == Some("2") => "ListObjectsV2",
            ("DELETE", false) => "DeleteObject",
            _ => "Unknown",
        }
        .to_owned();
    }

    /// The first header of that name (in lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of that name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` where it is not.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// What the call is about: tables, queue, key, object, secret, the address that a mail is from.
    pub(crate) fn targets(&self) -> Vec<String> {
        let body = self.json();
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned).into_iter().collect::<Vec<_>>();
        match self.service {
            Service::DynamoDb => tables_of(&body),
            Service::Sqs => text("QueueUrl"),
            Service::Kms => text("KeyId"),
            Service::SecretsManager => text("SecretId"),
            Service::Ses => text("FromEmailAddress"),
            Service::Stripe => Vec::new(),
            Service::S3 if self.key.is_empty() => vec![self.bucket.clone()],
            Service::S3 => vec![format!("{}/{}", self.bucket, self.key)],
        }
    }
}

fn tables_of(body: &Value) -> Vec<String> {
    let mut tables = Vec::new();
    let mut add = |table: &str| {
        if !tables.iter().any(|have| have == table) {
            tables.push(table.to_owned());
        }
    };
    if let Some(table) = body.get("TableName").and_then(Value::as_str) {
        add(table);
    }
    if let Some(requests) = body.get("RequestItems").and_then(Value::as_object) {
        requests.keys().for_each(|table| add(table));
    }
    for item in body.get("TransactItems").and_then(Value::as_array).into_iter().flatten() {
        for part in item.as_object().into_iter().flat_map(|parts| parts.values()) {
            if let Some(table) = part.get("TableName").and_then(Value::as_str) {
                add(table);
            }
        }
    }
    tables
}

/// A text member of a JSON object; empty where there is none.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a member of a JSON object; anything else is left as it is.
pub(crate) fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Host, path and query of an absolute URI.
fn split(uri: &str) -> (&str, &str, &str) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    (host, path, query)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer of a double.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// What DynamoDB counted, where it was measured.
    pub(crate) capacity_units: Option<f64>,
}

impl Reply {
    /// Any other answer.
    pub(crate) fn new(status: u16, headers: Vec<(&'static str, String)>, body: Bytes) -> Self {
        Self { status, headers, body, capacity_units: None }
    }

    /// 200 with JSON.
    pub(crate) fn json(body: &Value) -> Self {
        Self::raw_json(200, body.to_string())
    }

    /// JSON that is text already.
    pub(crate) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, vec![("content-type", "application/x-amz-json-1.0".into())], body.into())
    }

    /// An error of a JSON service.
    pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Self {
        Self::raw_json(status, serde_json::json!({ "__type": code, "message": message }).to_string())
    }

    /// An S3 answer.
    pub(crate) fn xml(status: u16, body: String) -> Self {
        Self::new(status, vec![("content-type", "application/xml".into())], body.into())
    }

    pub(crate) fn into_http(self) -> Result<HttpResponse, ConnectorError> {
        let status = StatusCode::try_from(self.status).map_err(|error| ConnectorError::user(error.into()))?;
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}
