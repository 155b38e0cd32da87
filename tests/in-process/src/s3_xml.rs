//! The XML that S3 answers with.

use std::fmt::Write as _;

use crate::wire::Reply;

/// An error document.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::xml(
        status,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message><RequestId>in-process</RequestId></Error>",
            escape(code),
            escape(message)
        ),
    )
}

/// One object of a listing.
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) etag: String,
    pub(crate) size: usize,
}

/// A page of ListObjectsV2.
pub(crate) struct Page {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) max_keys: usize,
    pub(crate) objects: Vec<Listed>,
    pub(crate) common_prefixes: Vec<String>,
    pub(crate) next: Option<String>,
}

impl Page {
    pub(crate) fn reply(&self) -> Reply {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
        );
        let count = self.objects.len() + self.common_prefixes.len();
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "<Name>{}</Name><Prefix>{}</Prefix><MaxKeys>{}</MaxKeys><KeyCount>{count}</KeyCount><IsTruncated>{}</IsTruncated>",
            escape(&self.bucket),
            escape(&self.prefix),
            self.max_keys,
            self.next.is_some()
        );
        if let Some(next) = &self.next {
            let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", escape(next));
        }
        for object in &self.objects {
            let _ = write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                escape(&object.key),
                escape(&object.etag),
                object.size
            );
        }
        for prefix in &self.common_prefixes {
            let _ = write!(xml, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(prefix));
        }
        xml.push_str("</ListBucketResult>");
        Reply::xml(200, xml)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
