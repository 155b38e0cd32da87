//! What a function's environment may hold: names, addresses and numbers. Never a secret, nor anything that resolves to one.

use serde_json::{Value, json};

use super::expanded::{TEMPLATE, list, resources};
use super::functions;

/// What a reference to a resource gives: a name or an address of these kinds says nothing that must not be known.
const NAMED: [&str; 5] = [
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SES::ConfigurationSet",
    "AWS::SQS::Queue",
    // Its ARN. Who may read it is IAM's to say.
    "AWS::SecretsManager::Secret",
];

/// Why a value may not stand in an environment; none if it may.
fn refused(value: &Value) -> Option<String> {
    if let Some(name) = value["Ref"].as_str() {
        let parameter = &TEMPLATE["Parameters"][name];
        if parameter.is_object() {
            // Filled from elsewhere, or hidden: both are how secrets come in.
            let kind = parameter["Type"].as_str().unwrap_or_default();
            let plain = matches!(kind, "String" | "Number") && parameter.get("NoEcho").is_none();
            return (!plain).then(|| format!("the parameter `{name}` is a `{kind}`, or hidden"));
        }
        let kind = TEMPLATE["Resources"][name]["Type"].as_str().unwrap_or_default();
        return (!NAMED.contains(&kind)).then(|| format!("`{name}` is a `{kind}`"));
    }
    if let Some(parts) = value["Fn::GetAtt"].as_array() {
        return (parts.get(1) != Some(&json!("Arn"))).then(|| format!("{value} is no ARN"));
    }
    if let Some(either) = value["Fn::If"].as_array() {
        return refused(&either[1]).or_else(|| refused(&either[2]));
    }
    // The address of this API is the only text that is put together.
    (value["Fn::Sub"] != json!("https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"))
        .then(|| format!("{value} is no reference"))
}

#[test]
fn every_value_of_an_environment_is_a_name_an_address_or_a_number() {
    let mut seen = 0;
    for (id, function) in functions() {
        for (name, value) in function["Properties"]["Environment"]["Variables"].as_object().expect("variables") {
            assert_eq!(refused(value), None, "{id} {name}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_may_hold_a_secret_is_refused() {
    for value in [
        json!("sk_live_0123456789"),
        json!("{{resolve:secretsmanager:developer}}"),
        json!({"Fn::Sub": "{{resolve:secretsmanager:${DeveloperSecretLive}}}"}),
        json!({"Fn::Sub": "https://${MailFrom}"}),
        json!({"Fn::GetAtt": ["DeveloperSecretLive", "SecretString"]}),
        json!({"Fn::ImportValue": "developer-key"}),
        json!({"Fn::If": ["HasAuditor", {"Ref": "MailFrom"}, "sk_live_0123456789"]}),
        json!({"Ref": "ConnectRole"}),
        json!(5),
    ] {
        assert!(refused(&value).is_some(), "{value}");
    }
}

#[test]
fn nothing_in_the_template_resolves_a_secret() {
    assert!(!TEMPLATE.to_string().contains("{{resolve:"));
    // Nobody has to type a secret into the form of a deployment.
    for (name, parameter) in TEMPLATE["Parameters"].as_object().expect("parameters") {
        let text = name.to_lowercase();
        assert!(!["secret", "token", "password", "apikey"].iter().any(|word| text.contains(word)), "{name}");
        assert!(matches!(parameter["Type"].as_str(), Some("String" | "Number")), "{name}");
    }
    for function in resources("AWS::Lambda::Function").into_values() {
        assert!(
            list(&function["Properties"]["Layers"]).iter().all(Value::is_null),
            "a layer brings an environment too"
        );
    }
}
