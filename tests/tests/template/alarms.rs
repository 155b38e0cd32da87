//! Alarms and the dashboard: what they watch is really written, what they say is documented, and nothing that must be heard is silent.

use std::collections::BTreeSet;
use std::path::Path;

use axiru_runtime::metrics::{By, Metric, NAMESPACE};
use serde_json::Value;

use super::expanded::{TEMPLATE, list, properties, referenced, resources};

/// What documents it.
const DOCUMENT: &str = include_str!("../../../docs/operations.md");

/// Whether the code writes that metric with those dimensions and no others, as CloudWatch tells metrics apart.
fn is_written(name: &str, dimensions: &[(String, String)]) -> bool {
    let Some(metric) = Metric::ALL.iter().find(|metric| metric.name() == name) else { return false };
    let value = |of: &str| dimensions.iter().find(|(name, _)| name == of).map(|(_, value)| value.as_str());
    let by = match (dimensions.len(), value("mode")) {
        (2, Some("test" | "live")) => metric.by() != By::Function,
        (1, None) => metric.by() != By::Mode,
        _ => false,
    };
    by && value("function").is_some_and(|function| metric.functions().contains(&function))
}

#[test]
fn every_alarm_watches_a_metric_that_is_written() {
    let mut ours = 0;
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        // No arithmetic: the local stack would not deploy it.
        let (space, name, dimensions) =
            (alarm["Namespace"].as_str(), alarm["MetricName"].as_str(), &alarm["Dimensions"]);
        let (space, name) = (space.expect("a name space"), name.expect("a metric"));
        let pairs: Vec<(String, String)> = list(dimensions)
            .iter()
            .filter_map(|pair| Some((pair["Name"].as_str()?.to_owned(), pair["Value"].as_str()?.to_owned())))
            .collect();
        match space {
            NAMESPACE => {
                ours += 1;
                assert!(is_written(name, &pairs), "{id}: nothing writes {name} with {pairs:?}");
            }
            "AWS/SQS" => {
                let queue = referenced(&dimensions[0]["Value"]).expect("a queue");
                assert_eq!(TEMPLATE["Resources"][queue]["Type"], "AWS::SQS::Queue", "{id}");
            }
            other => panic!("{id} watches `{other}`"),
        }
        // A quiet deployment is no trouble, and a metric that is not written now is no trouble.
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{id}");
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold", "{id}");
    }
    assert!(ours >= 14, "{ours}");
}

#[test]
fn the_comparison_itself_finds_what_is_not_written() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert!(is_written("ExportAlarm", &pairs(&[("function", "export"), ("mode", "live")])));
    assert!(!is_written("ExportAlarms", &pairs(&[("function", "export"), ("mode", "live")])));
    assert!(!is_written("ExportAlarm", &pairs(&[("function", "export")])), "without its mode it is another metric");
    assert!(!is_written("ExportAlarm", &pairs(&[("function", "observe"), ("mode", "live")])));
    assert!(!is_written("KmsErrors", &pairs(&[("function", "decide"), ("mode", "live")])));
    assert!(!is_written("ExportAlarm", &pairs(&[("function", "export"), ("account", "acct_1")])));
}

#[test]
fn who_is_woken_and_who_is_asked_is_said_and_goes_to_its_own_topic() {
    let mut kinds = BTreeSet::new();
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let text = alarm["Properties"]["AlarmDescription"]["Fn::Sub"].as_str().expect("a description");
        let (kind, _) = text.split_once(", Axiru ${DeploymentName}: ").unwrap_or_else(|| panic!("{id}: {text}"));
        let actions = alarm["Properties"]["AlarmActions"].to_string();
        assert!(actions.contains("AlarmTopicArn"), "{id} tells nobody");
        assert_eq!(actions.contains("TicketTopicArn"), kind == "Ticket", "{id}");
        kinds.insert(kind.to_owned());
        // Whoever is told finds what to do by the alarm's name.
        assert!(DOCUMENT.contains(&format!("`{id}`")), "{id} is not in docs/operations.md");
    }
    assert_eq!(kinds, BTreeSet::from(["Page".to_owned(), "Ticket".to_owned()]));
    // Dead letters are never left until morning.
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        if id.contains("DeadLetter") {
            assert!(alarm["Properties"]["AlarmDescription"].to_string().contains("Page, "), "{id}");
            assert_eq!(
                (&alarm["Properties"]["Threshold"], &alarm["Properties"]["Period"]),
                (&0.into(), &60.into()),
                "{id}"
            );
        }
    }
}

#[test]
fn every_metric_is_documented_and_no_other_is() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeSet<&str> = rows
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| {
            name.chars().next().is_some_and(char::is_uppercase) && !name.ends_with("Alarm") || *name == "ExportAlarm"
        })
        .collect();
    let written: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    assert_eq!(told.difference(&written).collect::<Vec<_>>(), Vec::<&&str>::new(), "told, and not written");
    assert_eq!(written.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new(), "written, and not told");
}

#[test]
fn the_dashboard_is_json_and_shows_only_what_there_is() {
    let body = properties("Dashboard")["DashboardBody"]["Fn::Sub"].as_str().expect("a body");
    // What is put in is names: they stand inside strings.
    let body: Value = serde_json::from_str(body).expect("JSON");
    let widgets = body["widgets"].as_array().expect("widgets");
    let mut shown = 0;
    let mut dead = BTreeSet::new();
    for widget in widgets {
        let title = &widget["properties"]["title"];
        for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
            let row = metric.as_array().expect("a row");
            let words: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
            let (space, name, dimensions) = (words[0], words[1], &words[2..]);
            let pairs: Vec<(String, String)> =
                dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
            match space {
                NAMESPACE => assert!(is_written(name, &pairs), "{title}: nothing writes {name} with {pairs:?}"),
                "AWS/SQS" | "AWS/Lambda" => {
                    let id = pairs[0].1.trim_start_matches("${").trim_end_matches('}').trim_end_matches(".QueueName");
                    let kind = if space == "AWS/SQS" { "AWS::SQS::Queue" } else { "AWS::Lambda::Function" };
                    assert_eq!(TEMPLATE["Resources"][id]["Type"], kind, "{title}: {id}");
                    if id.contains("DeadLetter") {
                        dead.insert(id.to_owned());
                    }
                }
                other => panic!("{title} shows `{other}`"),
            }
            shown += 1;
        }
        let at = |name: &str| widget[name].as_u64().expect("a place");
        assert!(at("x") + at("width") <= 24, "{title} is wider than a dashboard");
    }
    assert!(shown > 50, "{shown}");
    let all: BTreeSet<String> =
        resources("AWS::SQS::Queue").into_keys().filter(|id| id.contains("DeadLetter")).map(str::to_owned).collect();
    assert_eq!(dead, all, "every dead-letter queue is shown");
}

/// The program text below a folder.
fn program(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { program(&path) } else { std::fs::read_to_string(&path).unwrap() })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn whoever_is_said_to_write_a_metric_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // What several share, such as counting decisions, stands there.
    let shared = program(&root.join("shared/runtime/src"));
    let everybody = Metric::ColdStarts.functions();
    let mut unwritten = Vec::new();
    // What everybody writes is written by what everybody shares.
    for metric in Metric::ALL.iter().filter(|metric| metric.functions() != everybody) {
        let named = format!("Metric::{}", metric.name());
        for function in metric.functions() {
            let own = program(&root.join("functions").join(function).join("src"));
            if !names(&own, &named) && !names(&shared, &named) {
                unwritten.push(format!("{function}: {named}"));
            }
        }
    }
    assert!(unwritten.is_empty(), "said to be written, and not in the program: {unwritten:?}");
}

/// Whether a text has that word, and not only as the beginning of a longer one.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
