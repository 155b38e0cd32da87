//! What the template promises and the local stack drops, ignores or does not check. A green run on the local stack proves none of it.

mod alarms;
mod at_rest;
mod environment;
pub(crate) mod expanded;
mod keys;
mod logged;
mod mail;
mod permissions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::expanded::{TEMPLATE, list, properties, referenced, resources};

/// Every variable of every function's environment. A secret would need a name that is not here.
const ENVIRONMENT: [&str; 31] = [
    "AXIRU_AUTHORIZE_URL_LIVE",
    "AXIRU_AUTHORIZE_URL_TEST",
    "AXIRU_CHECKPOINT_SECONDS",
    "AXIRU_DEPLOYMENT",
    "AXIRU_DEVELOPER_SECRET_LIVE",
    "AXIRU_DEVELOPER_SECRET_TEST",
    "AXIRU_EXECUTIONS_QUEUE_URL",
    "AXIRU_EXPORT_BUCKET",
    "AXIRU_LANES_LIVE",
    "AXIRU_LANES_TEST",
    "AXIRU_LEDGER_TABLE",
    "AXIRU_LINK_CAPS",
    "AXIRU_LINK_KEY_ID",
    "AXIRU_LINK_KEY_NAME",
    "AXIRU_LINK_KEY_ONE",
    "AXIRU_LINK_KEY_TWO",
    "AXIRU_LOG",
    "AXIRU_MAIL_CONFIGURATION_SET",
    "AXIRU_MAIL_FROM",
    "AXIRU_OBJECT_LOCK_DAYS",
    "AXIRU_OBJECT_LOCK_MODE",
    "AXIRU_OBSERVATIONS_QUEUE_URL",
    "AXIRU_OPERATOR_DIGEST_MINUTES",
    "AXIRU_PUBLIC_URL",
    "AXIRU_RECONCILE_QUEUE_URL",
    "AXIRU_REFRESH_QUEUE_URL",
    "AXIRU_SEAL_KEY_ID",
    "AXIRU_SIGNING_KEY_ID",
    "AXIRU_STATE_TABLE",
    "AXIRU_STRIPE_API_BASE",
    "AXIRU_STRIPE_PERMISSIONS",
];

fn functions() -> BTreeMap<&'static str, &'static Value> {
    let functions = resources("AWS::Lambda::Function");
    assert_eq!(functions.len(), 13, "{:?}", functions.keys());
    functions
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[test]
fn the_ledger_is_protected_and_never_expires() {
    let table = properties("LedgerTable");
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(table.get("TimeToLiveSpecification").is_none());
    let keys = json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "seq", "KeyType": "RANGE"}]);
    assert_eq!(table["KeySchema"], keys);
}

#[test]
fn the_ledgers_own_policy_denies_every_write_but_append() {
    let statements = list(&properties("LedgerTable")["ResourcePolicy"]["PolicyDocument"]["Statement"]);
    let denied: BTreeSet<String> = statements
        .iter()
        .filter(|statement| statement.get("Condition").is_none())
        .inspect(|statement| assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*"))))
        .flat_map(|statement| list(&statement["Action"]))
        .filter_map(|action| action.as_str().map(str::to_owned))
        .collect();
    for write in [
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:PartiQLDelete",
        "dynamodb:UpdateTimeToLive",
    ] {
        assert!(denied.contains(write), "{write} is not denied");
    }
    let put =
        statements.iter().find(|statement| statement["Action"] == "dynamodb:PutItem").expect("a rule for appending");
    assert_eq!(put["Effect"], "Deny");
    assert_eq!(put["Condition"], json!({"StringNotEquals": {"aws:PrincipalTag/axiru-ledger": "append"}}));
}

#[test]
fn the_state_table_expires_and_recovers() {
    let table = properties("StateTable");
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "expires_at", "Enabled": true}));
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
}

#[test]
fn what_holds_evidence_or_secrets_outlives_the_stack() {
    let mut kept = 0;
    for kind in ["AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"] {
        for (id, resource) in resources(kind) {
            // A table's protection would stop the rollback of the deployment that makes it; they need their key.
            let always = kind == "AWS::DynamoDB::Table" || id == "RestKey";
            let policy = if always { "Retain" } else { "RetainExceptOnCreate" };
            assert_eq!(resource["DeletionPolicy"], policy, "{id}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
            kept += 1;
        }
    }
    assert_eq!(kept, 11);
}

#[test]
fn exported_files_are_locked_versioned_and_private() {
    let bucket = properties("ExportBucket");
    assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled");
    assert_eq!(bucket["ObjectLockEnabled"], true);
    // What is replaced by design must never be retained, so nothing is by default: the exporter says it with each file.
    assert!(bucket.get("ObjectLockConfiguration").is_none());
    let exporter = &properties("ExportFunction")["Environment"]["Variables"];
    assert_eq!(exporter["AXIRU_OBJECT_LOCK_MODE"], json!({"Ref": "ObjectLockMode"}));
    assert_eq!(exporter["AXIRU_OBJECT_LOCK_DAYS"], json!({"Ref": "ObjectLockDays"}));
    // Nobody gets undeletable files without having asked for them.
    assert_eq!(TEMPLATE["Parameters"]["ObjectLockMode"]["Default"], "GOVERNANCE");
    assert_eq!(TEMPLATE["Parameters"]["ObjectLockDays"]["Default"], 1);
    for block in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][block], true, "{block}");
    }
    // Nothing passes but what bears the tag of a file that is replaced.
    let rules = list(&bucket["LifecycleConfiguration"]["Rules"]);
    let tags: Vec<_> = rules.iter().map(|rule| rule["TagFilters"].clone()).collect();
    let tag = |value: &str| json!([{"Key": "axiru", "Value": value}]);
    assert_eq!(tags, [tag("partial"), tag("newest")]);
    let tls = &list(&properties("ExportBucketPolicy")["PolicyDocument"]["Statement"])[0];
    assert_eq!(tls["Effect"], "Deny");
    assert_eq!(tls["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    let once = &list(&properties("ExportBucketPolicy")["PolicyDocument"]["Statement"])[1];
    assert_eq!((&once["Effect"], &once["Action"]), (&json!("Deny"), &json!("s3:PutObject")));
    assert_eq!(once["Condition"], json!({"Null": {"s3:if-none-match": "true"}}));
    let replaced = list(&once["NotResource"]).len();
    assert_eq!(replaced, 3, "the list of keys, the newest checkpoints, partial tiles");
}

#[test]
fn an_auditor_of_another_account_reads_and_does_nothing_else() {
    let statements = list(&properties("ExportBucketPolicy")["PolicyDocument"]["Statement"]);
    let granted: Vec<_> = statements
        .iter()
        .filter_map(|statement| statement.get("Fn::If"))
        .map(|choice| {
            assert_eq!((&choice[0], &choice[2]), (&json!("HasAuditor"), &json!({"Ref": "AWS::NoValue"})));
            choice[1].clone()
        })
        .collect();
    assert_eq!(granted.len(), 2);
    for statement in &granted {
        assert_eq!(statement["Principal"], json!({"AWS": {"Ref": "AuditorPrincipalArn"}}));
        for action in list(&statement["Action"]) {
            let action = action.as_str().expect("an action");
            assert!(action.starts_with("s3:Get") || action.starts_with("s3:List"), "{action}");
        }
    }
}

#[test]
fn the_signing_key_signs_ed25519_and_the_seal_key_rotates() {
    assert_eq!(properties("SigningKey")["KeySpec"], "ECC_NIST_EDWARDS25519");
    assert_eq!(properties("SigningKey")["KeyUsage"], "SIGN_VERIFY");
    assert_eq!(properties("SealKey")["EnableKeyRotation"], true);
}

#[test]
fn every_log_has_a_retention() {
    let groups = resources("AWS::Logs::LogGroup");
    assert_eq!(groups.len(), 14, "one for each function and one for the API");
    for (id, group) in &groups {
        assert!(group["Properties"].get("RetentionInDays").is_some(), "{id}");
    }
    for (id, function) in functions() {
        let group = referenced(&function["Properties"]["LoggingConfig"]["LogGroup"]).expect("a log group of its own");
        assert!(groups.contains_key(group.as_str()), "{id}");
    }
}

#[test]
fn no_secret_is_in_an_environment_or_a_parameter() {
    for (id, function) in functions() {
        for (name, value) in function["Properties"]["Environment"]["Variables"].as_object().expect("variables") {
            assert!(ENVIRONMENT.contains(&name.as_str()), "{id} has a variable `{name}` that this test does not know");
            assert!(!value.to_string().contains("{{resolve:"), "{id} resolves a secret into `{name}`");
        }
    }
    for (name, parameter) in TEMPLATE["Parameters"].as_object().expect("parameters") {
        assert!(parameter.get("NoEcho").is_none(), "the parameter `{name}` is a secret");
        assert!(parameter.get("Description").is_some(), "the parameter `{name}` is not documented");
    }
    for (id, secret) in resources("AWS::SecretsManager::Secret") {
        assert!(secret["Properties"].get("SecretString").is_none(), "{id} has its value in the template");
    }
}

#[test]
fn one_hand_written_role_for_each_function() {
    let functions = functions();
    let roles = resources("AWS::IAM::Role");
    let used: BTreeSet<String> =
        functions.values().filter_map(|function| referenced(&function["Properties"]["Role"])).collect();
    assert_eq!(used.len(), functions.len());
    assert_eq!(used.iter().map(String::as_str).collect::<Vec<_>>(), roles.keys().copied().collect::<Vec<_>>());
    for (id, role) in roles {
        assert!(role["Properties"].get("ManagedPolicyArns").is_none(), "{id} has a managed policy");
        let trust = list(&role["Properties"]["AssumeRolePolicyDocument"]["Statement"]);
        assert_eq!(trust.len(), 1, "{id}");
        assert_eq!(trust[0]["Principal"], json!({"Service": "lambda.amazonaws.com"}), "{id}");
    }
}

#[test]
fn routes_are_these_and_only_operators_pass_admin() {
    let mut routes: Vec<(&str, &str)> = resources("AWS::ApiGatewayV2::Route")
        .into_values()
        .map(|route| {
            let authorizer = route["Properties"]["AuthorizationType"].as_str().unwrap_or("NONE");
            (route["Properties"]["RouteKey"].as_str().expect("a route key"), authorizer)
        })
        .collect();
    routes.sort_unstable();
    assert_eq!(
        routes,
        [
            ("ANY /approvals/{proxy+}", "NONE"),
            ("ANY /v1/{proxy+}", "NONE"),
            ("ANY /v2/{proxy+}", "NONE"),
            ("GET /", "NONE"),
            ("GET /admin/status", "AWS_IAM"),
            ("GET /admin/{mode}/{account}/{route+}", "AWS_IAM"),
            ("GET /api/v1/decisions", "NONE"),
            ("GET /api/v1/decisions/{id}", "NONE"),
            ("GET /api/v1/openapi.json", "NONE"),
            ("GET /permissions", "NONE"),
            ("GET /privacy", "NONE"),
            ("GET /stripe/callback", "NONE"),
            ("GET /stripe/install", "NONE"),
            ("POST /admin/restricted-keys", "AWS_IAM"),
            ("POST /admin/setup-links", "AWS_IAM"),
            ("POST /admin/{mode}/{account}/webhook-secret", "AWS_IAM"),
            ("POST /admin/{mode}/{account}/{route+}", "AWS_IAM"),
            ("POST /api/v1/decisions", "NONE"),
            ("POST /stripe/confirm", "NONE"),
            ("POST /stripe/install", "NONE"),
            ("POST /stripe/webhooks/{mode}", "NONE"),
            ("POST /stripe/webhooks/{mode}/{account}", "NONE"),
        ]
    );
    for (path, authorizer) in routes {
        assert_eq!(path.contains("/admin/"), authorizer == "AWS_IAM", "{path}");
    }
    for (id, permission) in resources("AWS::Lambda::Permission") {
        let principal = permission["Properties"]["Principal"].as_str();
        assert!(matches!(principal, Some("apigateway.amazonaws.com" | "events.amazonaws.com")), "{id}: {principal:?}");
        assert!(permission["Properties"].get("SourceArn").is_some(), "{id}");
    }
}

#[test]
fn every_queue_has_a_dead_letter_queue_with_an_alarm() {
    let queues = resources("AWS::SQS::Queue");
    let mut dead: BTreeSet<String> = BTreeSet::new();
    for (id, queue) in &queues {
        let redrive = &queue["Properties"]["RedrivePolicy"];
        if redrive.is_object() {
            dead.extend(referenced(&redrive["deadLetterTargetArn"]));
            assert!(number(&redrive["maxReceiveCount"]) >= 5, "{id}");
        }
    }
    for invoked in resources("AWS::Lambda::EventInvokeConfig").into_values() {
        dead.extend(referenced(&invoked["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]));
    }
    for mapping in resources("AWS::Lambda::EventSourceMapping").into_values() {
        dead.extend(referenced(&mapping["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]));
    }
    let watched: BTreeSet<String> = resources("AWS::CloudWatch::Alarm")
        .into_values()
        .filter(|alarm| alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible")
        .filter_map(|alarm| referenced(&alarm["Properties"]["Dimensions"][0]["Value"]))
        .collect();
    assert_eq!(watched, dead);
    for (id, queue) in queues {
        let redriven = queue["Properties"]["RedrivePolicy"].is_object();
        assert!(redriven || dead.contains(id), "{id} has no dead-letter queue");
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
        assert_eq!(number(&queue["Properties"]["MessageRetentionPeriod"]), 14 * 24 * 3600, "{id}");
    }
}

#[test]
fn event_sources_report_failures_and_never_retry_for_ever() {
    let mappings = resources("AWS::Lambda::EventSourceMapping");
    assert_eq!(mappings.len(), 7);
    for (id, mapping) in mappings {
        let mapping = &mapping["Properties"];
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
        let source = referenced(&mapping["EventSourceArn"]).expect("a source");
        if source == "LedgerTable:stream" {
            assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON");
            assert!(number(&mapping["MaximumRetryAttempts"]) <= 10);
            assert_eq!(mapping["BisectBatchOnFunctionError"], true);
            assert!(mapping["DestinationConfig"]["OnFailure"].is_object());
        } else {
            let function = referenced(&mapping["FunctionName"]).expect("a function");
            let visibility = number(&properties(&source)["VisibilityTimeout"]);
            assert!(visibility >= 6 * number(&properties(&function)["Timeout"]), "{id}");
            // What is first in, first out holds up what is behind it in its batch.
            let fifo = properties(&source)["FifoQueue"] == true;
            assert_eq!(number(&mapping["BatchSize"]), if fifo { 1 } else { 10 }, "{id}");
            let concurrency = &mapping["ScalingConfig"]["MaximumConcurrency"];
            assert!(concurrency.is_object() || number(concurrency) >= 2, "{id}");
        }
    }
}

#[test]
fn jobs_of_one_object_follow_each_other_and_are_told_apart_by_who_sends() {
    let (queue, dead) = (properties("ExecutionsQueue"), properties("ExecutionsDeadLetterQueue"));
    // A queue's dead letters are of its own type, or the redrive is refused.
    assert_eq!((&queue["FifoQueue"], &dead["FifoQueue"]), (&json!(true), &json!(true)));
    // A job may be sent again after five minutes, or for another turn: its content is the same.
    assert_eq!(queue["ContentBasedDeduplication"], false);
    assert!(dead.get("ContentBasedDeduplication").is_none());
    // A full throughput of one group must not be that of all.
    assert_eq!(queue["DeduplicationScope"], "messageGroup");
    assert_eq!(queue["FifoThroughputLimit"], "perMessageGroupId");
    let standard = ["ObservationsQueue", "ObservationsDeadLetterQueue", "RefreshQueue", "SweepDeadLetterQueue"];
    assert!(standard.iter().all(|id| properties(id).get("FifoQueue").is_none()));
}

#[test]
fn what_a_caller_waits_for_ends_before_the_api_gives_up() {
    for integration in resources("AWS::ApiGatewayV2::Integration").into_values() {
        let function = referenced(&integration["Properties"]["IntegrationUri"]).expect("a function");
        assert!(number(&properties(&function)["Timeout"]) < 30, "{function}");
    }
}

#[test]
fn functions_run_on_the_chosen_architecture() {
    for (id, function) in functions() {
        let function = &function["Properties"];
        assert_eq!(function["Runtime"], "provided.al2023", "{id}");
        assert_eq!(function["Architectures"], json!([{"Ref": "Architecture"}]), "{id}");
        // The HTTP API gives up after 30 seconds. A comparison reads lists for as long as a function may run.
        let most = if id == "ReconcileFunction" { 900 } else { 60 };
        assert!(number(&function["Timeout"]) <= most, "{id}");
    }
    assert_eq!(TEMPLATE["Parameters"]["Architecture"]["Default"], "arm64");
}
