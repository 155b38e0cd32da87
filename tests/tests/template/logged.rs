//! What an access log may hold. Links, codes and states travel in paths, queries and headers: none of them is ever logged.

use serde_json::Value;

use super::expanded::{TEMPLATE, resources};

/// What a log format may name: nothing that a caller chose.
const LOGGED: [&str; 8] = [
    "$context.requestId",
    "$context.routeKey",
    "$context.status",
    "$context.responseLength",
    "$context.responseLatency",
    "$context.integrationStatus",
    "$context.integrationLatency",
    "$context.requestTimeEpoch",
];

/// Every variable that a format names: from each `$` on, as far as API Gateway reads a name.
fn variables(format: &str) -> Vec<String> {
    let name = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-{}()'".contains(*c)).collect()
    };
    format.match_indices('$').map(|(at, _)| format!("${}", name(&format[at + 1..]))).collect::<Vec<String>>()
}

/// The variables of a format that it must not name.
fn refused(format: &str) -> Vec<String> {
    variables(format).into_iter().filter(|variable| !LOGGED.contains(&variable.as_str())).collect()
}

/// Every text of the template, with the names that lead to it.
fn texts(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((place.to_owned(), text.clone())),
        Value::Array(list) => list.iter().for_each(|value| texts(value, place, found)),
        Value::Object(map) => map.iter().for_each(|(name, value)| texts(value, &format!("{place}/{name}"), found)),
        _ => {}
    }
}

#[test]
fn the_search_itself_sees_every_way_to_name_what_a_caller_chose() {
    for format in [
        r#"{"a":"$context.path"}"#,
        r#"{"a":"$context.routeKey $context.path"}"#,
        r#"{"a":"$context.requestOverride.path.proxy"}"#,
        r#"{"a":"$context.identity.userAgent"}"#,
        r#"{"a":"$context.identity.sourceIp"}"#,
        r#"{"a":"${context.path}"}"#,
        r#"{"a":"$request.querystring.state"}"#,
        r#"{"a":"$request.header.authorization"}"#,
        r#"{"a":"$input.params('link')"}"#,
        r#"{"a":"$context.routeKey.path"}"#,
        "$context.requestId $context.httpMethod $context.rawPath",
    ] {
        assert!(!refused(format).is_empty(), "{format}");
    }
    assert!(refused(r#"{"a":"$context.requestId","b":"$context.routeKey"}"#).is_empty());
}

#[test]
fn no_log_format_holds_a_path_a_query_or_a_header() {
    let stages = resources("AWS::ApiGatewayV2::Stage");
    assert_eq!(stages.len(), 1);
    for (id, stage) in stages {
        let format = stage["Properties"]["AccessLogSettings"]["Format"].as_str().expect("a log format");
        let fields: Value = serde_json::from_str(format).expect("one JSON object a line");
        assert!(fields.as_object().expect("an object").values().all(Value::is_string), "{id}");
        assert_eq!(refused(format), Vec::<String>::new(), "{id}");
        assert!(!variables(format).is_empty(), "{id} logs nothing at all");
    }
}

#[test]
fn there_is_no_other_log_format_and_nothing_traces_data() {
    let mut all = Vec::new();
    texts(&TEMPLATE, "", &mut all);
    for (place, text) in all {
        if text.contains("$context.") || text.contains("$request.") || text.contains("$input.") {
            assert_eq!(place, "/Resources/HttpApiStage/Properties/AccessLogSettings/Format", "{text}");
        }
        // X-Ray's segments and a stage's data trace hold the path.
        for traces in ["/TracingConfig/", "/TracingEnabled", "/DataTraceEnabled", "/LoggingLevel"] {
            assert!(!place.contains(traces), "{place} traces");
        }
    }
}
