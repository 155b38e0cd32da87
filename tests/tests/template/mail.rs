//! Mail, as the template sets it up: what may leave, under which conditions, and how what comes back is heard of.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::expanded::{TEMPLATE, list, properties, referenced, resources};

#[test]
fn mail_leaves_encrypted_untracked_and_never_again_to_where_it_came_back_from() {
    let set = properties("MailConfigurationSet");
    assert_eq!(set["DeliveryOptions"], json!({"TlsPolicy": "REQUIRE"}));
    assert_eq!(set["SuppressionOptions"], json!({"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}));
    assert_eq!(set["VdmOptions"]["DashboardOptions"]["EngagementMetrics"], "DISABLED");
    // SES rewrites links and adds an image where a destination asks for these.
    assert!(set.get("TrackingOptions").is_none());
    let destinations = resources("AWS::SES::ConfigurationSetEventDestination");
    assert_eq!(destinations.len(), 1);
    for (id, destination) in destinations {
        let events: BTreeSet<String> = list(&destination["Properties"]["EventDestination"]["MatchingEventTypes"])
            .iter()
            .filter_map(|event| event.as_str().map(str::to_lowercase))
            .collect();
        let wanted = ["bounce", "complaint", "deliverydelay", "reject"].map(str::to_owned);
        assert_eq!(events, BTreeSet::from(wanted), "{id}");
        assert_eq!(destination["Properties"]["EventDestination"]["Enabled"], true, "{id}");
    }
}

#[test]
fn what_comes_back_reaches_the_queue_of_this_deployment_and_no_other_sender_does() {
    let rule = properties("ReturnsRule");
    let own = json!([{"Ref": "MailConfigurationSet"}]);
    assert_eq!(rule["EventPattern"]["detail"]["mail"]["tags"]["ses:configuration-set"], own);
    assert_eq!(rule["EventPattern"]["source"], json!(["aws.ses"]));
    let targets = list(&rule["Targets"]);
    assert_eq!(targets.len(), 1);
    assert_eq!(referenced(&targets[0]["Arn"]).as_deref(), Some("ReturnsQueue"));
    assert_eq!(referenced(&targets[0]["DeadLetterConfig"]["Arn"]).as_deref(), Some("ReturnsDeadLetterQueue"));
    let allowed: Vec<Value> = list(&properties("ReturnsQueuesPolicy")["PolicyDocument"]["Statement"])
        .into_iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .collect();
    assert_eq!(allowed.len(), 1);
    assert_eq!(allowed[0]["Principal"], json!({"Service": "events.amazonaws.com"}));
    assert_eq!(allowed[0]["Action"], "sqs:SendMessage");
    assert_eq!(referenced(&allowed[0]["Condition"]["ArnEquals"]["aws:SourceArn"]).as_deref(), Some("ReturnsRule"));
}

#[test]
fn every_queue_has_one_policy_which_refuses_what_is_not_encrypted() {
    let mut covered = Vec::new();
    for (id, policy) in resources("AWS::SQS::QueuePolicy") {
        let refuses = list(&policy["Properties"]["PolicyDocument"]["Statement"]).iter().any(|statement| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "sqs:*"
                && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
        });
        assert!(refuses, "{id}");
        covered.extend(list(&policy["Properties"]["Queues"]).iter().filter_map(referenced));
    }
    covered.sort();
    assert_eq!(covered, resources("AWS::SQS::Queue").into_keys().collect::<Vec<_>>(), "each queue once");
}

#[test]
fn links_have_two_keys_of_their_own_and_the_parameter_says_which_one_makes_them() {
    for id in ["LinkKeyOne", "LinkKeyTwo"] {
        assert_eq!(properties(id)["KeySpec"], "HMAC_256", "{id}");
        assert_eq!(properties(id)["KeyUsage"], "GENERATE_VERIFY_MAC", "{id}");
    }
    assert_eq!(TEMPLATE["Conditions"]["LinksByKeyOne"], json!({"Fn::Equals": [{"Ref": "LinkKeyInUse"}, "one"]}));
    let notify = &properties("NotifyFunction")["Environment"]["Variables"];
    let either = json!({"Fn::If": [
        "LinksByKeyOne",
        {"Fn::GetAtt": ["LinkKeyOne", "Arn"]},
        {"Fn::GetAtt": ["LinkKeyTwo", "Arn"]},
    ]});
    assert_eq!(notify["AXIRU_LINK_KEY_ID"], either);
    assert_eq!(notify["AXIRU_LINK_KEY_NAME"], json!({"Ref": "LinkKeyInUse"}));
    // The others do not know the key in use; admin looks whether there is an address at all.
    for (id, function) in resources("AWS::Lambda::Function") {
        let names = function["Properties"]["Environment"]["Variables"].as_object().expect("variables");
        let mails = names.contains_key("AXIRU_MAIL_CONFIGURATION_SET") || names.contains_key("AXIRU_LINK_KEY_ID");
        assert_eq!(mails, id == "NotifyFunction", "{id}");
        let addressed = names.contains_key("AXIRU_MAIL_FROM");
        assert_eq!(addressed, ["AdminFunction", "NotifyFunction"].contains(&id), "{id}");
        let caps = names.contains_key("AXIRU_LINK_CAPS");
        assert_eq!(caps, ["DecideFunction", "ExecuteFunction", "GatewayFunction"].contains(&id), "{id}");
    }
}

#[test]
fn one_stream_rings_for_two_and_no_more() {
    // DynamoDB throttles a third reader of a stream's shard.
    let readers: BTreeSet<String> = resources("AWS::Lambda::EventSourceMapping")
        .into_values()
        .filter(|mapping| referenced(&mapping["Properties"]["EventSourceArn"]).as_deref() == Some("LedgerTable:stream"))
        .filter_map(|mapping| referenced(&mapping["Properties"]["FunctionName"]))
        .collect();
    assert_eq!(readers, BTreeSet::from(["ExportFunction".to_owned(), "NotifyFunction".to_owned()]));
}
