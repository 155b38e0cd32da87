//! The bucket of the export.
//!
//! What never changes is written where nothing is (`If-None-Match: *`) and retained under Object Lock, for as long as its mode asks. What is
//! replaced (the newest checkpoint, partial tiles) is neither; it bears a tag by which the bucket's lifecycle takes old ones away.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectLockMode;
use aws_smithy_runtime_api::client::result::SdkError;

use axiru_domain::Mode;
use axiru_ledger::layout::Name;

use crate::error::AwsError;

/// Tries of adding a line to a file that others change too.
const TRIES: usize = 8;

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// S3 did not do it.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// It is there already with other bytes.
    #[error("`{0}` is there already with other bytes")]
    Different(String),
}

/// How long a file can be neither changed nor deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Who may shorten it: with `GOVERNANCE` those who have a right of their own for it, with `COMPLIANCE` nobody, ever.
    pub lock: ObjectLockMode,
    /// Days from the moment of writing.
    pub days: u32,
}

impl Retention {
    /// What files of test mode have: a day, which an administrator can end.
    #[must_use]
    pub const fn of_test() -> Self {
        Self { lock: ObjectLockMode::Governance, days: 1 }
    }

    /// From the words of a deployment's parameters; `None` for another word than `GOVERNANCE` and `COMPLIANCE`, or for no days.
    #[must_use]
    pub fn parse(lock: &str, days: u32) -> Option<Self> {
        let lock = match lock {
            "GOVERNANCE" => ObjectLockMode::Governance,
            "COMPLIANCE" => ObjectLockMode::Compliance,
            _ => return None,
        };
        (days > 0).then_some(Self { lock, days })
    }
}

/// A kind of file that others replace, as its tag says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Passing {
    /// A partial tile or bundle: derivable, and replaced by a wider one.
    Partial,
    /// The newest checkpoint.
    Newest,
}

impl Passing {
    const fn tag(self) -> &'static str {
        match self {
            Self::Partial => "axiru=partial",
            Self::Newest => "axiru=newest",
        }
    }
}

/// Files in one bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    live: Retention,
}

/// The versions of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// How many there are, without those that only say that it was deleted.
    pub versions: usize,
    /// The first of them.
    pub first: Option<String>,
    /// Whether it was deleted at some time.
    pub deleted: bool,
}

/// What a conditional write met.
enum Put {
    Done,
    /// The condition did not hold.
    Lost,
    /// Others wrote at the same time: nobody knows yet what is there.
    Raced,
}

impl Bucket {
    /// The bucket of that name; files of both modes are retained as those of test mode.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), live: Retention::of_test() }
    }

    /// With another retention for files of live mode.
    #[must_use]
    pub fn with_live_retention(mut self, live: Retention) -> Self {
        self.live = live;
        self
    }

    /// Writes a file that never changes, and retains it. One that is there already must be the same to the byte.
    ///
    /// # Errors
    /// [`PutError::Different`] where it is not.
    pub async fn put_once(&self, name: &Name, bytes: &[u8]) -> Result<(), PutError> {
        let file = name.text();
        if self.put_new(name, bytes).await? {
            return Ok(());
        }
        match self.read(&file).await? {
            Some((there, _)) if there == bytes => Ok(()),
            Some(_) => Err(PutError::Different(file)),
            // Gone again between the two calls: another run will see.
            None => Err(AwsError::busy("writing a file").into()),
        }
    }

    /// Writes a file where none is, and retains it. False where one is, whatever it holds.
    pub(super) async fn put_new(&self, name: &Name, bytes: &[u8]) -> Result<bool, AwsError> {
        let retention = match name.mode() {
            Some(Mode::Live) => self.live.clone(),
            _ => Retention::of_test(),
        };
        let until = SystemTime::now() + Duration::from_secs(u64::from(retention.days) * 86_400);
        let request = self
            .put(&name.text(), bytes)
            .if_none_match("*")
            .object_lock_mode(retention.lock)
            .object_lock_retain_until_date(DateTime::from(until));
        match conditionally(request).await? {
            Put::Done => Ok(true),
            Put::Lost => Ok(false),
            Put::Raced => Err(AwsError::busy("writing a file")),
        }
    }

    /// Writes a file that is replaced from time to time.
    pub(super) async fn put_passing(&self, name: &Name, bytes: &[u8], kind: Passing) -> Result<(), AwsError> {
        let request = self.put(&name.text(), bytes).tagging(kind.tag());
        request.send().await.map_err(AwsError::of("writing a file"))?;
        Ok(())
    }

    fn put(&self, file: &str, bytes: &[u8]) -> PutObjectFluentBuilder {
        self.client.put_object().bucket(&self.name).key(file).body(ByteStream::from(bytes.to_vec()))
    }

    /// Adds a line to a file of sorted lines, unless it is there.
    pub(super) async fn add_line(&self, file: &str, line: &str) -> Result<(), AwsError> {
        for _ in 0..TRIES {
            let (text, tag) = match self.read(file).await? {
                Some((bytes, tag)) => (String::from_utf8(bytes).unwrap_or_default(), Some(tag)),
                None => (String::new(), None),
            };
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            if lines.contains(&line) {
                return Ok(());
            }
            lines.push(line);
            lines.sort_unstable();
            if let Put::Done = self.put_if(file, lines.concat().as_bytes(), tag).await? {
                return Ok(());
            }
        }
        Err(AwsError::busy("adding to a file"))
    }

    /// The names of all files below a prefix.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn names(&self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
            let page = request.set_continuation_token(token).send().await.map_err(AwsError::of("listing files"))?;
            names.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// Every file below a prefix, with how many versions it has, also of those that are deleted.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn versions(&self, prefix: &str) -> Result<BTreeMap<String, Versions>, AwsError> {
        let mut found: BTreeMap<String, Versions> = BTreeMap::new();
        let (mut key, mut version) = (None, None);
        loop {
            let request = self.client.list_object_versions().bucket(&self.name).prefix(prefix);
            let request = request.set_key_marker(key).set_version_id_marker(version);
            let page = request.send().await.map_err(AwsError::of("listing versions"))?;
            // The newest comes first.
            for listed in page.versions.unwrap_or_default() {
                let Some(name) = listed.key else { continue };
                let of = found.entry(name).or_default();
                of.versions += 1;
                of.first = listed.version_id;
            }
            for marker in page.delete_markers.unwrap_or_default() {
                let Some(name) = marker.key else { continue };
                found.entry(name).or_default().deleted = true;
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
            if key.is_none() {
                return Ok(found);
            }
        }
    }

    /// A file's bytes in one version.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn read_version(&self, file: &str, version: &str) -> Result<Vec<u8>, AwsError> {
        let request = self.client.get_object().bucket(&self.name).key(file).version_id(version);
        let answer = request.send().await.map_err(AwsError::of("reading a file"))?;
        let body = answer.body.collect().await.map_err(|_| AwsError::busy("reading a file"))?;
        Ok(body.into_bytes().to_vec())
    }

    /// A file's bytes and entity tag; none where there is no such file.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn read(&self, file: &str) -> Result<Option<(Vec<u8>, String)>, AwsError> {
        let answer = match self.client.get_object().bucket(&self.name).key(file).send().await {
            Ok(answer) => answer,
            Err(error) if matches!(error.as_service_error(), Some(GetObjectError::NoSuchKey(_))) => return Ok(None),
            Err(error) => return Err(AwsError::of("reading a file")(error)),
        };
        let tag = answer.e_tag.unwrap_or_default();
        let body = answer.body.collect().await.map_err(|_| AwsError::busy("reading a file"))?;
        Ok(Some((body.into_bytes().to_vec(), tag)))
    }

    /// Writes a file where none is, or where the one with this entity tag still is.
    async fn put_if(&self, file: &str, bytes: &[u8], tag: Option<String>) -> Result<Put, AwsError> {
        let request = self.put(file, bytes);
        conditionally(match tag {
            Some(tag) => request.if_match(tag),
            None => request.if_none_match("*"),
        })
        .await
    }
}

async fn conditionally(request: PutObjectFluentBuilder) -> Result<Put, AwsError> {
    match request.send().await {
        Ok(_) => Ok(Put::Done),
        Err(SdkError::ServiceError(service)) if service.err().code() == Some("PreconditionFailed") => Ok(Put::Lost),
        Err(SdkError::ServiceError(service)) if service.err().code() == Some("ConditionalRequestConflict") => {
            Ok(Put::Raced)
        }
        Err(error) => Err(AwsError::of("writing a file")(error)),
    }
}
