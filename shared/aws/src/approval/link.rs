//! Links that let one person answer one request: minted by one role, verified by another, dead as soon as what they are about changes.
//!
//! A link is an id and a MAC, and nothing else: no verb, amount or name travels in it. The MAC is KMS's, over a message that is rebuilt from
//! the live rows at every use.
//!
//! Row: pk `<mode>#link#<32 hex digits>`, sk `link`; `account`, `request`, `person`, `key` (the name of the MAC key), `issued` and `until`
//! (milliseconds), `content` (what it was sent for), `person_epoch`, `scope_epoch`, `used` (when it was answered with), `revoked`,
//! `expires_at`. What the row says of content and epochs only tells a link that has died from one that never was.

mod id;
mod keys;
mod open;

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Mode, PersonId, RequestId, Scope, Timestamp};
use axiru_ledger::canonical;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use zeroize::Zeroizing;

use super::Held;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, parse, s, text};
use crate::store::{Store, StoreError};

use id::ID_BYTES;
pub use id::{LinkId, LinkIdError};
pub use keys::{LinkKeys, Minter};
pub use open::{OpenError, Opened, Verifier};

/// Longest life of a link, in seconds: three days. Longer requests are asked for a new one, which goes to the address on file.
const LIFE_SECS: i64 = 3 * 86_400;

/// How long the row outlives its link, in seconds: who opens it late is told that it is over.
const KEPT_SECS: i64 = 40 * 86_400;

const MAC_BYTES: usize = 32;

/// A link as a person carries it: 64 characters of URL-safe base64. Like every secret it has no `Debug`.
#[derive(Clone)]
pub struct LinkToken {
    id: LinkId,
    mac: Zeroizing<[u8; MAC_BYTES]>,
}

/// The text is not a link. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link: expected 64 characters of URL-safe base64")]
pub struct LinkTokenError;

impl LinkToken {
    /// The text that stands in the address.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; ID_BYTES + MAC_BYTES]);
        for (to, from) in bytes.iter_mut().zip(self.id.0.iter().chain(self.mac.iter())) {
            *to = *from;
        }
        Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &LinkId {
        &self.id
    }
}

impl FromStr for LinkToken {
    type Err = LinkTokenError;

    fn from_str(text: &str) -> Result<Self, LinkTokenError> {
        // One link has one text: padding and stray bits are refused by the decoder.
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkTokenError)?);
        let (id, mac) = bytes.split_first_chunk::<ID_BYTES>().ok_or(LinkTokenError)?;
        let mac: [u8; MAC_BYTES] = mac.try_into().map_err(|_| LinkTokenError)?;
        Ok(Self { id: LinkId(*id), mac: Zeroizing::new(mac) })
    }
}

/// What the row of a link says.
#[derive(Clone, Debug)]
pub(crate) struct LinkRow {
    pub(crate) id: LinkId,
    pub(crate) scope: Scope,
    pub(crate) request: RequestId,
    pub(crate) person: PersonId,
    key: String,
    issued: i64,
    pub(crate) until: i64,
    content: String,
    person_epoch: u64,
    scope_epoch: u64,
    pub(crate) revoked: bool,
}

impl LinkRow {
    /// The link that a person gets for a request now.
    fn new(held: &Held, person: &PersonId, turn: &str, key: &str, now: Timestamp) -> Self {
        Self {
            id: LinkId::of(held, person, turn, key),
            scope: held.scope().clone(),
            request: held.id().clone(),
            person: person.clone(),
            key: key.to_owned(),
            issued: now.millis(),
            until: held.approval.until.min(now.plus_secs(LIFE_SECS).millis()),
            content: held.content.clone(),
            person_epoch: held.person_epoch(person),
            scope_epoch: held.scope_epoch,
            revoked: false,
        }
    }

    fn of(mode: Mode, id: &LinkId, row: &Item) -> Result<Self, RowError> {
        Ok(Self {
            id: id.clone(),
            scope: Scope::new(mode, parse(row, "account")?),
            request: parse(row, "request")?,
            person: parse(row, "person")?,
            key: text(row, "key")?.to_owned(),
            issued: number(row, "issued")?,
            until: number(row, "until")?,
            content: text(row, "content")?.to_owned(),
            person_epoch: number(row, "person_epoch")?,
            scope_epoch: number(row, "scope_epoch")?,
            revoked: row.get("revoked").is_some_and(|value| value.as_bool() == Ok(&true)),
        })
    }

    fn item(&self) -> Item {
        let (pk, sk) = self.id.row_key(self.scope.mode());
        let mut row = key(pk, sk);
        let attributes: [(&str, AttributeValue); 10] = [
            ("account", s(self.scope.account().as_str())),
            ("request", s(self.request.as_str())),
            ("person", s(self.person.as_str())),
            ("key", s(&self.key)),
            ("issued", n(self.issued)),
            ("until", n(self.until)),
            ("content", s(&self.content)),
            ("person_epoch", n(self.person_epoch)),
            ("scope_epoch", n(self.scope_epoch)),
            ("expires_at", n(self.until / 1_000 + KEPT_SECS)),
        ];
        row.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
        row
    }

    /// What the MAC is over, where the request's content and the epochs are these. At most some 700 bytes; KMS takes 4,096.
    fn message(
        &self,
        deployment: &str,
        content: &str,
        person_epoch: u64,
        scope_epoch: u64,
    ) -> Result<String, RowError> {
        let message = json!({
            "d": "axiru/approval-link/v1",
            "deployment": deployment,
            "scope": self.scope.to_string(),
            "request": self.request.as_str(),
            "person": self.person.as_str(),
            "link": self.id.text(),
            "key": self.key,
            "issued": self.issued,
            "until": self.until,
            "content": content,
            "person_epoch": person_epoch,
            "scope_epoch": scope_epoch,
        });
        canonical::write(&message).map_err(|_| RowError("content"))
    }

    /// The message of the link as it was sent.
    fn as_sent(&self, deployment: &str) -> Result<String, RowError> {
        self.message(deployment, &self.content, self.person_epoch, self.scope_epoch)
    }

    /// The message of the link as things are now.
    fn as_now(&self, deployment: &str, held: &Held) -> Result<String, RowError> {
        self.message(deployment, &held.content, held.person_epoch(&self.person), held.scope_epoch)
    }
}

impl Store {
    /// The row of a link in a mode.
    pub(in crate::approval) async fn approval_link(
        &self,
        mode: Mode,
        id: &LinkId,
    ) -> Result<Option<LinkRow>, StoreError> {
        let (pk, sk) = id.row_key(mode);
        let row = self.row(&pk, &sk).await?;
        Ok(row.map(|row| LinkRow::of(mode, id, &row)).transpose()?)
    }

    /// Which request of a scope a link is about, and whose it is; none where the scope has no such link.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn whose_link(&self, scope: &Scope, id: &str) -> Result<Option<(RequestId, PersonId)>, StoreError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let row = self.approval_link(scope.mode(), &id).await?.filter(|row| row.scope == *scope);
        Ok(row.map(|row| (row.request, row.person)))
    }

    /// The row of a link, in whichever mode it is: the link does not say.
    async fn find_link(&self, id: &LinkId) -> Result<Option<LinkRow>, StoreError> {
        let keys = Mode::ALL.map(|mode| {
            let (pk, sk) = id.row_key(mode);
            key(pk, sk)
        });
        let rows = self.rows(keys.to_vec()).await?;
        let found = rows.iter().filter_map(|row| {
            let mode = text(row, "pk").ok()?.split_once('#')?.0.parse().ok()?;
            Some(LinkRow::of(mode, id, row))
        });
        let mut found = found.collect::<Result<Vec<_>, _>>()?.into_iter();
        match (found.next(), found.next()) {
            // One id in both modes is nobody's.
            (Some(row), None) => Ok(Some(row)),
            _ => Ok(None),
        }
    }

    /// Notes a link before it is sent. Noted already, it is as it was noted first.
    async fn note_link(&self, row: &LinkRow) -> Result<(), AwsError> {
        let put = self.client.put_item().table_name(&self.state).set_item(Some(row.item()));
        let put = put.condition_expression("attribute_not_exists(pk)");
        put.send().await.map(drop).map_err(AwsError::of("noting a link"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_link_has_one_text() {
        let token = LinkToken { id: LinkId([7; 16]), mac: Zeroizing::new([9; 32]) };
        let text = token.expose();
        assert_eq!(text.len(), 64);
        let read: LinkToken = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert!(read.id == token.id && read.mac == token.mac);
        for bad in [
            "",
            "x",
            &text[1..],
            &format!("{}=", text.as_str()),
            &format!("{}A", text.as_str()),
            &text.replace('B', "+"),
        ] {
            assert!(bad.parse::<LinkToken>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,90}") {
            if let Ok(token) = text.parse::<LinkToken>() {
                let own = token.expose();
                prop_assert_eq!(own.as_str(), text.as_str());
            }
        }
    }
}
