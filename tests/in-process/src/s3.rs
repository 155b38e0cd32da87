//! S3: put, get, head, delete and list in versioned buckets, with conditions, CRC-32 checks and Object Lock.
//!
//! The entity tag is a hash of the content, but not MD5. Other checksums than CRC-32 and SHA-256 are kept and not checked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::crc32::crc32;
use crate::dump::{Dump, Piece};
use crate::s3_xml::{Listed, Page, error};
use crate::wire::{Reply, WireRequest};

/// Headers of a put that a get returns.
const KEPT: [&str; 7] = [
    "content-type",
    "cache-control",
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption",
];
/// Most keys of one page.
const MAX_KEYS: usize = 1000;

/// One version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) bytes: Bytes,
    /// `false` for a delete marker.
    exists: bool,
    etag: String,
    headers: Vec<(&'static str, String)>,
}

type Bucket = BTreeMap<String, Vec<Version>>;

/// The buckets.
pub(crate) struct S3 {
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl S3 {
    pub(crate) fn new(buckets: &[&str]) -> Self {
        Self { buckets: Mutex::new(buckets.iter().map(|name| ((*name).to_owned(), Bucket::new())).collect()) }
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, request: &WireRequest) -> Reply {
        let mut buckets = self.buckets();
        let Some(bucket) = buckets.get_mut(&request.bucket) else {
            return error(404, "NoSuchBucket", "The specified bucket does not exist");
        };
        match request.operation.as_str() {
            "PutObject" => put(bucket, request),
            "GetObject" => get(bucket, request, true),
            "HeadObject" => get(bucket, request, false),
            "DeleteObject" => delete(bucket, request),
            "ListObjectsV2" => list(bucket, request),
            _ => error(501, "NotImplemented", "no double of this operation"),
        }
    }

    /// The newest version of every object that exists.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Bytes> {
        let buckets = self.buckets();
        let objects = buckets.get(bucket).into_iter().flatten();
        objects.filter_map(|(key, versions)| Some((key.clone(), newest(versions)?.bytes.clone()))).collect()
    }

    /// How many versions each object has: more than one means that it was overwritten.
    pub(crate) fn versions(&self, bucket: &str) -> BTreeMap<String, usize> {
        let buckets = self.buckets();
        let objects = buckets.get(bucket).into_iter().flatten();
        objects.map(|(key, versions)| (key.clone(), versions.len())).collect()
    }

    pub(crate) fn dump(&self, into: &mut Dump) {
        for (name, bucket) in self.buckets().iter() {
            for (key, versions) in bucket {
                into.pieces.push(Piece { place: format!("s3 {name} key"), bytes: key.clone().into_bytes() });
                for (number, version) in versions.iter().enumerate() {
                    let place = format!("s3 {name}/{key} version {number}");
                    into.pieces.push(Piece { place, bytes: version.bytes.to_vec() });
                }
            }
        }
    }
}

fn newest(versions: &[Version]) -> Option<&Version> {
    versions.last().filter(|version| version.exists)
}

fn put(bucket: &mut Bucket, request: &WireRequest) -> Reply {
    if let Some(refusal) = wrong_checksum(request) {
        return refusal;
    }
    let existing = bucket.get(&request.key).and_then(|versions| newest(versions));
    let failed = || error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    match (request.header("if-none-match"), request.header("if-match"), existing) {
        (Some("*"), _, Some(_)) => return failed(),
        (Some(other), _, _) if other != "*" => return error(501, "NotImplemented", "If-None-Match takes only *"),
        (_, Some(_), None) => return error(404, "NoSuchKey", "The specified key does not exist."),
        (_, Some(tag), Some(version)) if tag.trim_matches('"') != version.etag.trim_matches('"') => return failed(),
        _ => {}
    }
    let etag = etag(&request.body);
    let kept = |name: &&'static str| request.header(name).map(|value| (*name, value.to_owned()));
    let headers = KEPT.iter().filter_map(kept).collect();
    let versions = bucket.entry(request.key.clone()).or_default();
    versions.push(Version { bytes: request.body.clone(), exists: true, etag: etag.clone(), headers });
    Reply::new(200, vec![("etag", etag), ("x-amz-version-id", versions.len().to_string())], Bytes::new())
}

/// A checksum that does not match, or none where Object Lock demands one.
fn wrong_checksum(request: &WireRequest) -> Option<Reply> {
    let crc = request.header("x-amz-checksum-crc32");
    let sha = request.header("x-amz-checksum-sha256");
    let wrong = crc.is_some_and(|sent| sent != STANDARD.encode(crc32(&request.body).to_be_bytes()))
        || sha.is_some_and(|sent| sent != STANDARD.encode(Sha256::digest(&request.body)));
    if wrong {
        return Some(error(400, "BadDigest", "The checksum you specified did not match the calculated checksum."));
    }
    let length = request.header("x-amz-decoded-content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length != request.body.len()) {
        return Some(error(400, "IncompleteBody", "You did not provide the number of bytes specified."));
    }
    let sums = |(name, _): &(String, String)| name.starts_with("x-amz-checksum-") || name == "content-md5";
    if request.header("x-amz-object-lock-mode").is_some() && !request.headers.iter().any(sums) {
        return Some(error(
            400,
            "InvalidRequest",
            "Content-MD5 or x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
        ));
    }
    None
}

fn get(bucket: &Bucket, request: &WireRequest, with_body: bool) -> Reply {
    let Some(version) = bucket.get(&request.key).and_then(|versions| newest(versions)) else {
        let reply = error(404, "NoSuchKey", "The specified key does not exist.");
        return if with_body { reply } else { Reply { body: Bytes::new(), ..reply } };
    };
    let mut headers = version.headers.clone();
    headers.push(("etag", version.etag.clone()));
    headers.push(("content-length", version.bytes.len().to_string()));
    if request.header("x-amz-checksum-mode") != Some("ENABLED") {
        headers.retain(|(name, _)| !name.starts_with("x-amz-checksum-"));
    }
    let body = if with_body { version.bytes.clone() } else { Bytes::new() };
    Reply::new(200, headers, body)
}

fn delete(bucket: &mut Bucket, request: &WireRequest) -> Reply {
    let marker = Version { bytes: Bytes::new(), exists: false, etag: String::new(), headers: Vec::new() };
    bucket.entry(request.key.clone()).or_default().push(marker);
    Reply::new(204, Vec::new(), Bytes::new())
}

fn list(bucket: &Bucket, request: &WireRequest) -> Reply {
    let prefix = request.query("prefix").unwrap_or_default();
    let delimiter = request.query("delimiter").filter(|delimiter| !delimiter.is_empty());
    let max_keys = request.query("max-keys").and_then(|most| most.parse().ok()).unwrap_or(MAX_KEYS).min(MAX_KEYS);
    // The token is the last key or common prefix of the page before.
    let after = request.query("continuation-token").or(request.query("start-after")).unwrap_or_default();
    let mut page = Page {
        bucket: request.bucket.clone(),
        prefix: prefix.to_owned(),
        max_keys,
        objects: Vec::new(),
        common_prefixes: Vec::new(),
        next: None,
    };
    let mut last = String::new();
    for (key, versions) in bucket.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let Some(version) = newest(versions) else { continue };
        let rest = key.get(prefix.len()..).unwrap_or_default();
        let folder = delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len()));
        let name = folder.and_then(|end| key.get(..prefix.len() + end)).unwrap_or(key);
        if name <= after || name == last {
            continue;
        }
        if page.objects.len() + page.common_prefixes.len() == max_keys {
            page.next = Some(last);
            break;
        }
        name.clone_into(&mut last);
        if folder.is_some() {
            page.common_prefixes.push(name.to_owned());
        } else {
            page.objects.push(Listed { key: key.clone(), etag: version.etag.clone(), size: version.bytes.len() });
        }
    }
    page.reply()
}

fn etag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("\"{hex}\"")
}
