//! The bucket of the export.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::result::SdkError;

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

/// Files in one bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// What a conditional write met.
enum Put {
    Done,
    /// The condition did not hold, or others wrote at the same time.
    Lost,
}

impl Bucket {
    /// The bucket of that name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Writes a file that never changes. One that is there already must be the same to the byte.
    pub(crate) async fn put_once(&self, file: &str, bytes: &[u8]) -> Result<(), PutError> {
        if let Put::Done = self.put_if(file, bytes, None).await? {
            return Ok(());
        }
        match self.read(file).await? {
            Some((there, _)) if there == bytes => Ok(()),
            Some(_) => Err(PutError::Different(file.to_owned())),
            // Gone again between the two calls: another run will see.
            None => Err(AwsError::busy("writing a file").into()),
        }
    }

    /// Writes a file that is replaced from time to time.
    pub(super) async fn put(&self, file: &str, bytes: &[u8]) -> Result<(), AwsError> {
        let request = self.client.put_object().bucket(&self.name).key(file).body(ByteStream::from(bytes.to_vec()));
        request.send().await.map_err(AwsError::of("writing a file"))?;
        Ok(())
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
        let request = self.client.put_object().bucket(&self.name).key(file).body(ByteStream::from(bytes.to_vec()));
        let request = match tag {
            Some(tag) => request.if_match(tag),
            None => request.if_none_match("*"),
        };
        match request.send().await {
            Ok(_) => Ok(Put::Done),
            Err(SdkError::ServiceError(service))
                if matches!(service.err().code(), Some("PreconditionFailed" | "ConditionalRequestConflict")) =>
            {
                Ok(Put::Lost)
            }
            Err(error) => Err(AwsError::of("writing a file")(error)),
        }
    }
}
