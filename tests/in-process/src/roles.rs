//! The roles of functions: what a process that acts as one does is held against the stored permission matrix, call by call.
//!
//! A call that its role may not make ends the test program: in AWS it would be refused, and no story may depend on one. What is used is
//! written down where [`RECORD`] names a folder, so that rights which nobody uses can be found over a whole run.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;

use crate::call::{Call, Service};
use crate::names;
use crate::wire::WireRequest;

/// Environment variable of the folder in which used rights are written down, one file for each process.
pub const RECORD: &str = "AXIRU_USED_RIGHTS";

/// `role  resource  action[  if conditions]`, one a line, as the template grants them.
const MATRIX: &str = include_str!("../../fixtures/permissions.txt");

/// One grant of the matrix.
struct Right {
    line: &'static str,
    role: &'static str,
    resource: &'static str,
    action: &'static str,
    /// Of a key's encryption context: name, and the values that it may have.
    context: Vec<(&'static str, Vec<&'static str>)>,
}

static RIGHTS: LazyLock<Vec<Right>> = LazyLock::new(|| MATRIX.lines().filter_map(Right::of).collect());

static USED: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);

impl Right {
    fn of(line: &'static str) -> Option<Self> {
        let mut fields = line.split("  ");
        let (role, resource, action) = (fields.next()?, fields.next()?, fields.next()?);
        let conditions = fields.next().and_then(|text| text.strip_prefix("if ")).into_iter();
        let conditions =
            conditions.flat_map(|text| text.split(", ")).filter_map(|one| one.strip_prefix("StringEquals "));
        let context = conditions.filter_map(|one| one.strip_prefix("kms:EncryptionContext:")).filter_map(|one| {
            let (name, values) = one.split_once('=')?;
            Some((name, values.split('|').collect()))
        });
        Some(Self { line, role, resource, action, context: context.collect() })
    }

    fn covers(&self, role: &str, resource: &str, action: &str, body: &Value) -> bool {
        let of_this = self.resource.split('|').any(|own| matches(own, resource));
        let context =
            |name: &str| body.get("EncryptionContext").and_then(|context| context.get(name)).and_then(Value::as_str);
        self.role == role
            && self.action == action
            && of_this
            && self.context.iter().all(|(name, values)| context(name).is_some_and(|value| values.contains(&value)))
    }
}

/// Whether a resource is one of a pattern whose `*` stands for anything.
fn matches(pattern: &str, resource: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| resource.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (i, part) in parts.iter().enumerate() {
        if i + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// The template's name of what a call is about.
fn resource(service: Service, target: &str) -> String {
    let name = match target {
        names::STATE_TABLE => "StateTable",
        names::LEDGER_TABLE => "LedgerTable",
        names::OBSERVATIONS_QUEUE_URL => "ObservationsQueue",
        names::REFRESH_QUEUE_URL => "RefreshQueue",
        names::EXECUTIONS_QUEUE_URL => "ExecutionsQueue",
        names::RECONCILE_QUEUE_URL => "ReconcileQueue",
        names::RETURNS_QUEUE_URL => "ReturnsQueue",
        names::SEAL_KEY_ID => "SealKey",
        names::SIGNING_KEY_ID => "SigningKey",
        names::LINK_KEY_ID => "LinkKeyOne",
        names::LINK_KEY_TWO_ID => "LinkKeyTwo",
        names::DEVELOPER_SECRET_TEST => "DeveloperSecretTest",
        names::DEVELOPER_SECRET_LIVE => "DeveloperSecretLive",
        // Of the three grants that a mail needs, the identity's.
        names::MAIL_FROM => "ses:identity/${MailFrom}",
        names::EXPORT_BUCKET => "ExportBucket",
        other => match (service, other.strip_prefix(names::EXPORT_BUCKET)) {
            (Service::S3, Some(key)) => return format!("ExportBucket{key}"),
            _ => other,
        },
    };
    name.to_owned()
}

/// What a call needs: resources and actions.
fn needs(request: &WireRequest, call: &Call) -> Vec<(String, String)> {
    let body = request.json();
    let index = body.get("IndexName").and_then(Value::as_str);
    let mut needs: Vec<_> = call
        .iam_actions()
        .into_iter()
        .map(|(action, target)| {
            let resource = resource(call.service, &target);
            (index.map_or_else(|| resource.clone(), |index| format!("{resource}/index/{index}")), action)
        })
        .collect();
    // What a write to S3 sets beside the bytes is a right of its own (S3 User Guide, "Required permissions for Amazon S3 API operations").
    for (header, action) in
        [("x-amz-object-lock-mode", "s3:PutObjectRetention"), ("x-amz-tagging", "s3:PutObjectTagging")]
    {
        if request.header(header).is_some() {
            needs.extend(call.targets.iter().map(|target| (resource(call.service, target), action.to_owned())));
        }
    }
    needs
}

/// Holds a call against the rights of a role.
pub(crate) fn check(role: &str, request: &WireRequest, call: &Call) {
    let body = request.json();
    for (resource, action) in needs(request, call) {
        let right = RIGHTS.iter().find(|right| right.covers(role, &resource, &action, &body));
        match right {
            Some(right) => note(right.line),
            None => {
                let context = body.get("EncryptionContext").map(Value::to_string).unwrap_or_default();
                end(&format!("{role} has no right to {action} on {resource} {context}: AWS would refuse this call"));
            }
        }
    }
}

/// Ends the test program. Functions catch panics: this must not pass for one of theirs.
#[expect(clippy::print_stderr, reason = "the last word of a test program")]
fn end(why: &str) -> ! {
    eprintln!("{why}");
    std::process::abort()
}

/// Writes down that a right was used, once for each process.
fn note(line: &'static str) {
    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| Some(PathBuf::from(std::env::var_os(RECORD)?).join(std::process::id().to_string())));
    let Some(file) = FILE.as_ref() else { return };
    if !USED.lock().unwrap_or_else(PoisonError::into_inner).insert(line) {
        return;
    }
    let written = OpenOptions::new().create(true).append(true).open(file).and_then(|mut file| writeln!(file, "{line}"));
    if let Err(error) = written {
        end(&format!("{}: {error}", file.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_iam() {
        assert!(matches("ExportBucket/v1/*", "ExportBucket/v1/live/acct_1/0/checkpoint"));
        assert!(!matches("ExportBucket/v1/*", "ExportBucket"));
        assert!(matches("ExportBucket/v1/*/reconcile/*", "ExportBucket/v1/live/acct_1/reconcile/x.json"));
        assert!(!matches("ExportBucket/v1/*/reconcile/*", "ExportBucket/v1/live/acct_1/0/checkpoint"));
        assert!(matches("StateTable", "StateTable") && !matches("StateTable", "StateTable/index/requests"));
    }

    #[test]
    fn a_right_is_of_one_role_and_of_the_context_it_names() {
        let decrypts = |purpose: &str, mode: &str| {
            let body = serde_json::json!({"EncryptionContext": {"axiru:purpose": purpose, "stripe:mode": mode}});
            RIGHTS.iter().any(|right| right.covers("WebhookRole", "SealKey", "kms:Decrypt", &body))
        };
        assert!(decrypts("webhook-secret", "live"));
        assert!(!decrypts("tokens", "live") && !decrypts("webhook-secret", "other"));
        let none = Value::Null;
        let of = |role: &str, action: &str| RIGHTS.iter().any(|right| right.covers(role, "LedgerTable", action, &none));
        assert!(of("DecideRole", "dynamodb:PutItem") && !of("DecideRole", "dynamodb:UpdateItem"));
        assert!(!of("WebhookRole", "dynamodb:PutItem"));
        assert!(RIGHTS.iter().any(|right| right.covers("NotifyRole", "LinkKeyTwo", "kms:GenerateMac", &none)));
    }
}
