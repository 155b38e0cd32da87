//! By what a person is recognised: e-mail addresses and AWS principals. An alias belongs to one person of a scope.
//!
//! Row: pk `<mode>#<account>#alias#<64 hex>`, sk `alias`; `person`, and of a principal its `operator` (the pseudonym). The hex is
//! SHA-256(class LF folded text): the row holds no address. Addresses are folded to lower case. What stands behind a `+` is kept:
//! whether `rosa+pay@` is Rosa is her mail server's business. Only ASCII is taken, so that no letter of another alphabet can look
//! like one of these; names of other alphabets have an ASCII form (RFC 5890, `xn--`).

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use axiru_domain::{PersonId, Scope};
use sha2::{Digest, Sha256};

use crate::admin::act::put_item;
use crate::admin::refusal::AdminError;
use crate::connect::operator::Operator;
use crate::connect::token::hex;
use crate::error::AwsError;
use crate::item::{Item, key, parse, s, text};
use crate::store::{Store, StoreError};

/// An e-mail address, folded. Its text is in the person's row only, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Email(String);

/// The text is not an address that is taken. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an e-mail address in ASCII, such as `rosa@example.com`; a domain in another alphabet is written in its `xn--` form"
)]
pub struct EmailError;

impl Email {
    /// The folded text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        // RFC 5321 §4.1.2 without quoted local parts and address literals, and its lengths in §4.5.3.1.
        let atom = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        let label = |text: &str| {
            (1..=63).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !text.starts_with('-')
                && !text.ends_with('-')
        };
        let (local, domain) = text.split_once('@').ok_or(EmailError)?;
        let fits = text.len() <= 254
            && local.len() <= 64
            && local.split('.').all(atom)
            && domain.contains('.')
            && domain.split('.').all(label);
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(EmailError) }
    }
}

/// An AWS principal as the HTTP API names a verified caller: a user, the root user, a federated user, or a session of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal(String);

/// The text is not a principal that could ever call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// A role instead of a session of it.
    #[error(
        "a role cannot call, a session of it can: give `arn:aws:sts::<account>:assumed-role/<role>/<session>`, as \
         `aws sts get-caller-identity` prints it"
    )]
    Role,
    /// Anything else.
    #[error("not the ARN of a user or of a session of a role; `aws sts get-caller-identity` prints yours")]
    Form,
}

impl Principal {
    /// The exact ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its pseudonym in a deployment.
    ///
    /// # Errors
    /// Never for a principal that was parsed.
    pub fn operator(&self, deployment: &str) -> Result<Operator, PrincipalError> {
        Operator::new(deployment, &self.0).map_err(|_| PrincipalError::Form)
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = parts.as_slice() else {
            return Err(PrincipalError::Form);
        };
        // IAM's names of users, roles and sessions (IAM User Guide, "IAM and AWS STS quotas").
        let name = |text: &str| {
            (1..=512).contains(&text.len())
                && text.split('/').all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
                })
        };
        let fits = *arn == "arn"
            && matches!(*partition, "aws" | "aws-cn" | "aws-us-gov")
            && region.is_empty()
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            return Err(PrincipalError::Form);
        }
        let (class, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let taken = match (*service, class) {
            ("iam", "role") => return Err(PrincipalError::Role),
            ("iam", "root") => *resource == "root",
            ("iam", "user") | ("sts", "federated-user") => name(rest),
            ("sts", "assumed-role") => name(rest) && rest.split('/').count() == 2,
            _ => false,
        };
        if taken { Ok(Self((*text).to_owned())) } else { Err(PrincipalError::Form) }
    }
}

/// One alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alias {
    /// An e-mail address.
    Email(Email),
    /// An AWS principal.
    Principal(Principal),
}

impl Alias {
    /// `address` or `principal`.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Email(_) => "address",
            Self::Principal(_) => "principal",
        }
    }

    /// The sort and partition key of its row. Principals are folded too: two that differ in case only are never two persons.
    fn pk(&self, scope: &Scope) -> String {
        let folded = match self {
            Self::Email(email) => email.0.clone(),
            Self::Principal(principal) => principal.0.to_ascii_lowercase(),
        };
        let digest = Sha256::new().chain_update(self.class()).chain_update("\n").chain_update(folded).finalize();
        format!("{}#alias#{}", scope.key(), hex(&digest))
    }

    /// The write that takes the alias for a person, if it is nobody's.
    pub(crate) fn take(
        &self,
        store: &Store,
        scope: &Scope,
        person: &PersonId,
        operator: Option<&Operator>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder()
            .table_name(&store.state)
            .item("pk", s(self.pk(scope)))
            .item("sk", s("alias"))
            .item("person", s(person.as_str()))
            .condition_expression("attribute_not_exists(pk)");
        if let Some(operator) = operator {
            put = put.item("operator", s(operator.id()));
        }
        put_item(put)
    }

    /// The write that gives the alias free.
    pub(crate) fn free(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&store.state).set_key(Some(key(self.pk(scope), "alias"))).build();
        let delete = delete.map_err(|_| AwsError::unexpected("an administrative act", "request not built"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

impl Store {
    /// Whose alias it is.
    pub(crate) async fn alias(&self, scope: &Scope, alias: &Alias) -> Result<Option<PersonId>, StoreError> {
        let row = self.row(&alias.pk(scope), "alias").await?;
        Ok(row.map(|row| parse(&row, "person")).transpose()?)
    }

    /// The person that a verified caller is in a scope. The ARN must be the same to the letter.
    ///
    /// # Errors
    /// [`AdminError`]; refused with the remedy where the caller is no person of the scope.
    pub async fn person_of(&self, scope: &Scope, operator: &Operator) -> Result<PersonId, AdminError> {
        let unmapped = || {
            AdminError::forbidden(
                "caller_is_no_person",
                format!(
                    "your AWS identity is no person of {scope}; make yourself known with `axiru person add --scope {scope} --me`, or have \
                     it added to the person you are with `axiru person alias <person> --scope {scope} --add-principal <arn>`"
                ),
            )
        };
        let alias = operator.arn().parse::<Principal>().map(Alias::Principal).map_err(|_| unmapped())?;
        let row: Item = self.row(&alias.pk(scope), "alias").await?.ok_or_else(unmapped)?;
        if text(&row, "operator")? == operator.id() { Ok(parse(&row, "person")?) } else { Err(unmapped()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope() -> Scope {
        "live/acct_1".parse().unwrap()
    }

    #[test]
    fn addresses_are_folded_to_one() {
        let email = |text: &str| text.parse::<Email>().map(|email| email.expose().to_owned());
        assert_eq!(email("Rosa.Luz@Example.COM"), Ok("rosa.luz@example.com".into()));
        assert_eq!(email("rosa+pay@example.com"), Ok("rosa+pay@example.com".into()));
        assert_eq!(email("o'hara@xn--bcher-kva.example"), Ok("o'hara@xn--bcher-kva.example".into()));
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "rosa",
            "@example.com",
            "rosa@",
            "rosa@localhost",
            "rosa@example..com",
            ".rosa@example.com",
            "rosa.@example.com",
            "rosa@-example.com",
            "rosa@@example.com",
            "rosa@example.com ",
            " rosa@example.com",
            "rosa@example.com\n",
            "rosa\u{0}@example.com",
            "Rosa <rosa@example.com>",
            "rosa@exa\u{200b}mple.com",
            // A Cyrillic о, an e with a combining accent, a fullwidth @.
            "r\u{43e}sa@example.com",
            "rose\u{301}@example.com",
            "rosa\u{ff20}example.com",
            "rosa@bücher.example",
            &long,
        ] {
            assert_eq!(email(bad), Err(EmailError), "{bad:?}");
        }
        assert!(!format!("{:?}", Alias::Email("rosa@example.com".parse().unwrap())).contains("rosa"));
    }

    #[test]
    fn principals_are_those_that_can_call() {
        for good in [
            "arn:aws:iam::111122223333:user/rosa",
            "arn:aws:iam::111122223333:user/ops/eu/rosa@example.com",
            "arn:aws:iam::111122223333:root",
            "arn:aws-cn:sts::111122223333:assumed-role/ops/rosa",
            "arn:aws:sts::111122223333:federated-user/rosa",
        ] {
            assert!(good.parse::<Principal>().is_ok(), "{good}");
        }
        assert_eq!("arn:aws:iam::111122223333:role/ops".parse::<Principal>(), Err(PrincipalError::Role));
        for bad in [
            "",
            "rosa",
            "arn:aws:iam::1111:user/rosa",
            "arn:aws:iam:eu-central-1:111122223333:user/rosa",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user//rosa",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:sts::111122223333:assumed-role/ops",
            "arn:aws:sts::111122223333:assumed-role/ops/rosa/x",
            "arn:aws:s3:::bucket",
            "arn:evil:iam::111122223333:user/rosa",
            "arn:aws:iam::111122223333:user/r\u{43e}sa",
        ] {
            assert_eq!(bad.parse::<Principal>(), Err(PrincipalError::Form), "{bad}");
        }
    }

    #[test]
    fn two_that_differ_in_case_only_are_one_alias_and_no_class_meets_another() {
        let principal = |text: &str| Alias::Principal(text.parse().unwrap()).pk(&scope());
        let one = principal("arn:aws:sts::111122223333:assumed-role/ops/rosa");
        assert_eq!(one, principal("arn:aws:sts::111122223333:assumed-role/ops/Rosa"));
        assert_ne!(one, principal("arn:aws:sts::111122223333:assumed-role/ops/rosb"));
        let other: Scope = "test/acct_1".parse().unwrap();
        let email = Alias::Email("rosa@example.com".parse().unwrap());
        assert_ne!(email.pk(&scope()), email.pk(&other));
        assert!(!email.pk(&scope()).contains("rosa"));
    }

    proptest! {
        #[test]
        fn folding_is_final_and_arbitrary_text_never_panics(text in "[a-zA-Z.+@é \u{0}-]{0,40}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(email.expose().parse::<Email>(), Ok(email.clone()));
                prop_assert!(email.expose().is_ascii());
            }
            let _ = text.parse::<Principal>();
        }
    }
}
