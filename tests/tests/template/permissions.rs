//! The whole permission matrix, compared with a stored text: a change of rights is a change of that text, and shows in a review.

use std::fmt::Write as _;

use serde_json::Value;

use super::expanded::{list, referenced, resources};

/// What the roles may do: `role  resource  action  [if conditions]`, one a line, sorted.
pub(super) fn matrix() -> String {
    let mut lines = Vec::new();
    for (id, role) in resources("AWS::IAM::Role") {
        for policy in list(&role["Properties"]["Policies"]) {
            for statement in list(&policy["PolicyDocument"]["Statement"]) {
                assert_eq!(statement["Effect"], "Allow", "{id}: the matrix knows grants only");
                for resource in list(&statement["Resource"]) {
                    for action in list(&statement["Action"]) {
                        let resource = resource.as_str().map(str::to_owned).or_else(|| referenced(&resource));
                        let resource =
                            resource.unwrap_or_else(|| panic!("{id}: a resource of another shape in {statement}"));
                        let action = action.as_str().expect("an action");
                        lines.push(format!("{id}  {resource}  {action}{}", conditions(&statement["Condition"])));
                    }
                }
            }
        }
    }
    lines.sort();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

/// The conditions of a statement: `operator key=values`.
fn conditions(condition: &Value) -> String {
    let mut text = Vec::new();
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            let value = |value: &Value| value.as_str().map(str::to_owned).or_else(|| referenced(value));
            let values: Vec<String> = list(values).iter().filter_map(value).collect();
            assert!(!values.is_empty(), "a condition of another shape: {condition}");
            text.push(format!("{operator} {key}={}", values.join("|")));
        }
    }
    if text.is_empty() { String::new() } else { format!("  if {}", text.join(", ")) }
}

#[test]
fn the_permission_matrix_is_the_stored_one() {
    let stored = include_str!("../../fixtures/permissions.txt");
    assert_eq!(matrix(), stored, "if the change is meant, put the left side into tests/fixtures/permissions.txt");
}

#[test]
fn no_grant_is_wider_than_an_action_on_a_resource() {
    for line in matrix().lines() {
        let fields: Vec<&str> = line.split("  ").collect();
        assert!(!fields[2].contains('*'), "an action with a wildcard: {line}");
        // Listing streams knows no narrower resource.
        assert!(fields[1] != "*" || fields[2] == "dynamodb:ListStreams", "a grant on everything: {line}");
    }
}

#[test]
fn nobody_changes_or_deletes_a_ledger_entry() {
    let appenders: Vec<String> = matrix()
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split("  ").collect();
            if fields[1] != "LedgerTable" {
                return None;
            }
            assert!(
                matches!(fields[2], "dynamodb:GetItem" | "dynamodb:Query" | "dynamodb:PutItem"),
                "more than reading and appending: {line}"
            );
            (fields[2] == "dynamodb:PutItem").then(|| fields[0].to_owned())
        })
        .collect();
    assert_eq!(
        appenders,
        [
            "AdminRole",
            "ApproveRole",
            "ConnectRole",
            "DecideRole",
            "ExecuteRole",
            "ExportRole",
            "GatewayRole",
            "NotifyRole",
            "ObserveRole",
            "ReconcileRole",
            "RefreshRole",
            "SweepRole"
        ]
    );
    // The table's own policy lets only these principals append.
    let tagged: Vec<&str> = resources("AWS::IAM::Role")
        .into_iter()
        .filter(|(_, role)| list(&role["Properties"]["Tags"]).iter().any(|tag| tag["Key"] == "axiru-ledger"))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(tagged, appenders);
}

#[test]
fn only_connect_and_refresh_read_a_developer_key_and_only_export_signs() {
    for line in matrix().lines() {
        let (role, rest) = line.split_once("  ").expect("a role");
        assert!(!rest.contains("secretsmanager:") || matches!(role, "ConnectRole" | "RefreshRole"), "{line}");
        assert!(!rest.contains("kms:Sign") || role == "ExportRole", "{line}");
        // Reports of comparisons stand beside the export, in a folder of their own.
        let reports = role == "ReconcileRole" && rest.starts_with("ExportBucket/v1/*/reconcile/*  s3:");
        assert!(!rest.contains("s3:") || role == "ExportRole" || reports, "{line}");
        let unseals = rest.contains("kms:Decrypt") || rest.contains("kms:Encrypt");
        assert!(!unseals || rest.contains("kms:EncryptionContext:stripe:mode"), "without its context: {line}");
        let tokens = rest.contains("purpose=tokens");
        assert!(!tokens || !matches!(role, "AdminRole" | "ExportRole" | "WebhookRole"), "{line}");
        // Who reads tokens cannot seal any: a reader that renews them would have nowhere to put them.
        assert!(!(rest.contains("kms:Encrypt ") && tokens) || matches!(role, "ConnectRole" | "RefreshRole"), "{line}");
    }
}

#[test]
fn parameters_are_sealed_where_calls_are_decided_and_opened_where_they_are_made() {
    let with = |action: &str| -> Vec<String> {
        let action = format!("  SealKey  {action}  if ");
        let lines = matrix();
        let lines = lines.lines().filter(|line| line.contains(&action) && line.contains("parameters"));
        lines.filter_map(|line| line.split_once("  ").map(|(role, _)| role.to_owned())).collect()
    };
    assert_eq!(with("kms:Encrypt"), ["DecideRole", "GatewayRole"]);
    assert_eq!(with("kms:Decrypt"), ["ExecuteRole"]);
}

#[test]
fn only_execute_takes_jobs_and_it_sends_none() {
    let matrix = matrix();
    let jobs: Vec<&str> = matrix.lines().filter(|line| line.contains("  ExecutionsQueue  ")).collect();
    assert_eq!(
        jobs,
        [
            "ApproveRole  ExecutionsQueue  sqs:SendMessage",
            "DecideRole  ExecutionsQueue  sqs:SendMessage",
            "ExecuteRole  ExecutionsQueue  sqs:DeleteMessage",
            "ExecuteRole  ExecutionsQueue  sqs:GetQueueAttributes",
            "ExecuteRole  ExecutionsQueue  sqs:ReceiveMessage",
            "ObserveRole  ExecutionsQueue  sqs:SendMessage",
            "ReconcileRole  ExecutionsQueue  sqs:SendMessage",
            "SweepRole  ExecutionsQueue  sqs:SendMessage",
        ]
    );
}

#[test]
fn who_makes_links_checks_none_and_nobody_else_touches_their_keys() {
    let matrix = matrix();
    let links: Vec<&str> = matrix.lines().filter(|line| line.contains("LinkKey")).collect();
    assert_eq!(
        links,
        [
            "ApproveRole  LinkKeyOne  kms:VerifyMac",
            "ApproveRole  LinkKeyTwo  kms:VerifyMac",
            "NotifyRole  LinkKeyOne|LinkKeyTwo  kms:GenerateMac",
        ]
    );
    assert!(matrix.lines().filter(|line| line.contains("Mac")).all(|line| links.contains(&line)));
}

#[test]
fn who_approves_mails_nothing_and_who_mails_decides_and_executes_nothing() {
    let matrix = matrix();
    let of = |role: &str| matrix.lines().filter(|line| line.starts_with(role)).collect::<Vec<_>>();
    assert!(!of("ApproveRole").iter().any(|line| line.contains("ses:") || line.contains("  SealKey  ")));
    assert!(!of("NotifyRole").iter().any(|line| line.contains("SealKey") || line.contains("Executions")));
    for line in matrix.lines().filter(|line| line.contains("  ses:SendEmail")) {
        assert!(line.starts_with("NotifyRole  ses:"), "{line}");
        assert!(line.ends_with("  if StringEquals ses:FromAddress=MailFrom"), "from any address: {line}");
    }
}
