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
use crate::scopes::{OnlyScope, is_of_one_scope};
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
    /// Of a table: patterns of partition keys; none where every key may be named.
    keys: Vec<&'static str>,
}

/// What a call needs: an action on a resource, and of a table the partition keys it is about.
struct Need {
    resource: String,
    action: String,
    keys: Vec<String>,
}

static RIGHTS: LazyLock<Vec<Right>> = LazyLock::new(|| MATRIX.lines().filter_map(Right::of).collect());

static USED: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

impl Right {
    fn of(line: &'static str) -> Option<Self> {
        let mut fields = line.split("  ");
        let (role, resource, action) = (fields.next()?, fields.next()?, fields.next()?);
        let conditions = fields.next().and_then(|text| text.strip_prefix("if ")).into_iter();
        let conditions = conditions.flat_map(|text| text.split(", "));
        let keys = conditions.clone().filter_map(|one| one.strip_prefix(LEADING_KEYS)).flat_map(|keys| keys.split('|'));
        let context = conditions.clone().filter_map(|one| one.strip_prefix("StringEquals "));
        let context = context.filter_map(|one| one.strip_prefix("kms:EncryptionContext:")).filter_map(|one| {
            let (name, values) = one.split_once('=')?;
            Some((name, values.split('|').collect()))
        });
        Some(Self { line, role, resource, action, keys: keys.collect(), context: context.collect() })
    }

    fn covers(&self, role: &str, need: &Need, body: &Value) -> bool {
        let of_this = self.resource.split('|').any(|own| matches(own, &need.resource));
        let context =
            |name: &str| body.get("EncryptionContext").and_then(|context| context.get(name)).and_then(Value::as_str);
        self.role == role
            && self.action == need.action
            && of_this
            && need.keys.iter().all(|key| self.allows(key))
            && self.context.iter().all(|(name, values)| context(name).is_some_and(|value| values.contains(&value)))
    }
}

/// How the matrix writes the condition on partition keys.
const LEADING_KEYS: &str = "ForAllValues:StringLike dynamodb:LeadingKeys=";

impl Right {
    /// Whether that partition key may be named.
    fn allows(&self, key: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|pattern| matches(pattern, key))
    }
}

/// Whether a text is one of a pattern, as IAM compares them: a `*` stands for anything, a `?` for one character (IAM User Guide, "String
/// condition operators").
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and how far into the text it reaches.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(c), _) if *c == '?' || text.get(from) == Some(c) => (at, from) = (at + 1, from + 1),
            (_, Some((stands, reaches))) => {
                star = Some((stands, reaches + 1));
                (at, from) = (stands + 1, reaches + 1);
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
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

/// What a call needs.
fn needs(request: &WireRequest, call: &Call) -> Vec<Need> {
    let body = request.json();
    let index = body.get("IndexName").and_then(Value::as_str);
    let mut needs: Vec<_> = call
        .iam_actions()
        .into_iter()
        .map(|(action, target)| {
            let resource = resource(call.service, &target);
            let resource = index.map_or_else(|| resource.clone(), |index| format!("{resource}/index/{index}"));
            let keys =
                if call.service == Service::DynamoDb { leading_keys(&action, &target, &body) } else { Vec::new() };
            Need { resource, action, keys }
        })
        .collect();
    // What a write to S3 sets beside the bytes is a right of its own (S3 User Guide, "Required permissions for Amazon S3 API operations").
    for (header, action) in
        [("x-amz-object-lock-mode", "s3:PutObjectRetention"), ("x-amz-tagging", "s3:PutObjectTagging")]
    {
        if request.header(header).is_some() {
            let needed = |target: &String| Need {
                resource: resource(call.service, target),
                action: action.to_owned(),
                keys: Vec::new(),
            };
            needs.extend(call.targets.iter().map(needed));
        }
    }
    needs
}

/// The partition keys that an action of a request is about: what IAM compares with `dynamodb:LeadingKeys`.
fn leading_keys(action: &str, table: &str, body: &Value) -> Vec<String> {
    let action = action.strip_prefix("dynamodb:").unwrap_or(action);
    let key = |of: &Value| of.pointer("/pk/S").and_then(Value::as_str).map(str::to_owned);
    let of_item = |item: &Value| item.get("Key").or_else(|| item.get("Item")).and_then(key);
    if let Some(items) = body.get("TransactItems").and_then(Value::as_array) {
        let kind = action.strip_suffix("Item").unwrap_or(action);
        let items = items.iter().filter_map(|item| item.get(kind));
        return items
            .filter(|item| item.get("TableName").and_then(Value::as_str) == Some(table))
            .filter_map(of_item)
            .collect();
    }
    if let Some(keys) = body.pointer("/RequestItems").and_then(|items| items.get(table)?.get("Keys")?.as_array()) {
        return keys.iter().filter_map(key).collect();
    }
    if let Some(condition) = body.get("KeyConditionExpression").and_then(Value::as_str) {
        // The partition key stands first in every query of ours.
        let name = condition.split(" = ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let value = body.get("ExpressionAttributeValues").and_then(|values| values.get(name)?.get("S")?.as_str());
        return value.map(str::to_owned).into_iter().collect();
    }
    of_item(body).into_iter().collect()
}

/// Holds a call against the rights of a role.
pub(crate) fn check(role: &str, only: Option<&OnlyScope>, request: &WireRequest, call: &Call) {
    let body = request.json();
    let needs = needs(request, call);
    let keys: Vec<&str> = needs.iter().flat_map(|need| &need.keys).map(String::as_str).collect();
    if !is_of_one_scope(role, &keys) {
        end(&format!("{role} names several scopes in one {}: {}", call.operation, keys.join(" ")));
    }
    if let Some(foreign) = only.and_then(|only| only.foreign(&keys, body.get("EncryptionContext"), &call.targets)) {
        end(&format!("{role} names another scope than the only one in a {}: {foreign}", call.operation));
    }
    for need in needs {
        let Need { resource, action, keys } = &need;
        let right = RIGHTS.iter().find(|right| right.covers(role, &need, &body));
        match right {
            Some(right) => {
                note(right.line.to_owned());
                // Each pattern that a key is one of: a `*` stands for a `#` too, so that of lanes covers the rows of movements.
                for pattern in keys.iter().flat_map(|key| right.keys.iter().filter(|pattern| matches(pattern, key))) {
                    note(format!("key  {role}  {resource}  {pattern}"));
                }
            }
            None => {
                let context = body.get("EncryptionContext").map(Value::to_string).unwrap_or_default();
                end(&format!(
                    "{role} has no right to {action} on {resource} {} {context}: AWS would refuse this call",
                    keys.join(" ")
                ));
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
fn note(line: String) {
    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| Some(PathBuf::from(std::env::var_os(RECORD)?).join(std::process::id().to_string())));
    let Some(file) = FILE.as_ref() else { return };
    if !USED.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
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

    fn need(resource: &str, action: &str, keys: &[&str]) -> Need {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Need { resource: resource.to_owned(), action: action.to_owned(), keys }
    }

    #[test]
    fn the_keys_of_every_way_to_ask_are_found() {
        let item = |pk: &str| serde_json::json!({"pk": {"S": pk}, "sk": {"S": "x"}});
        let keys = |action: &str, body: Value| leading_keys(action, "T", &body);
        assert_eq!(keys("dynamodb:GetItem", serde_json::json!({"TableName": "T", "Key": item("a")})), ["a"]);
        assert_eq!(keys("dynamodb:PutItem", serde_json::json!({"TableName": "T", "Item": item("b")})), ["b"]);
        let batch = serde_json::json!({"RequestItems": {"T": {"Keys": [item("a"), item("b")]}}});
        assert_eq!(keys("dynamodb:BatchGetItem", batch), ["a", "b"]);
        let query = serde_json::json!({
            "TableName": "T", "KeyConditionExpression": "listed = :x AND at < :y",
            "ExpressionAttributeValues": {":x": {"S": "a"}, ":y": {"S": "b"}},
        });
        assert_eq!(keys("dynamodb:Query", query), ["a"]);
        let transaction = serde_json::json!({"TransactItems": [
            {"Put": {"TableName": "T", "Item": item("a")}}, {"Put": {"TableName": "U", "Item": item("b")}},
            {"Update": {"TableName": "T", "Key": item("c")}}, {"ConditionCheck": {"TableName": "T", "Key": item("d")}},
        ]});
        assert_eq!(keys("dynamodb:PutItem", transaction.clone()), ["a"]);
        assert_eq!(keys("dynamodb:UpdateItem", transaction.clone()), ["c"]);
        assert_eq!(keys("dynamodb:ConditionCheckItem", transaction), ["d"]);
    }

    #[test]
    fn patterns_match_as_in_iam() {
        assert!(matches("ExportBucket/v1/*", "ExportBucket/v1/live/acct_1/0/checkpoint"));
        assert!(!matches("ExportBucket/v1/*", "ExportBucket"));
        assert!(matches("ExportBucket/v1/*/reconcile/*", "ExportBucket/v1/live/acct_1/reconcile/x.json"));
        assert!(!matches("ExportBucket/v1/*/reconcile/*", "ExportBucket/v1/live/acct_1/0/checkpoint"));
        assert!(matches("a*b?d", "axxbcd") && matches("*", "") && matches("a*c*e", "abcbcde"));
        assert!(
            !matches("a?", "a")
                && !matches("a*b", "ab#")
                && !matches("", "a")
                && !matches("live#acct_*#?", "live#acct_1#10")
        );
        assert!(matches("StateTable", "StateTable") && !matches("StateTable", "StateTable/index/requests"));
    }

    #[test]
    fn a_right_is_of_one_role_and_of_the_context_it_names() {
        let decrypts = |purpose: &str, mode: &str| {
            let body = serde_json::json!({"EncryptionContext": {"axiru:purpose": purpose, "stripe:mode": mode}});
            RIGHTS.iter().any(|right| right.covers("WebhookRole", &need("SealKey", "kms:Decrypt", &[]), &body))
        };
        assert!(decrypts("webhook-secret", "live"));
        assert!(!decrypts("tokens", "live") && !decrypts("webhook-secret", "other"));
        let none = Value::Null;
        let of = |role: &str, action: &str| {
            RIGHTS.iter().any(|right| right.covers(role, &need("LedgerTable", action, &[]), &none))
        };
        assert!(of("DecideRole", "dynamodb:PutItem") && !of("DecideRole", "dynamodb:UpdateItem"));
        assert!(!of("WebhookRole", "dynamodb:PutItem"));
        let mints = need("LinkKeyTwo", "kms:GenerateMac", &[]);
        assert!(RIGHTS.iter().any(|right| right.covers("NotifyRole", &mints, &none)));
    }
}
