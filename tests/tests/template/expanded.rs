//! The template as AWS expands it, read once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// The expanded template: what CloudFormation sees.
pub(crate) static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let path = std::env::var_os("AXIRU_TEMPLATE").map_or_else(expand, PathBuf::from);
    let text = std::fs::read_to_string(&path).expect("the expanded template is readable");
    serde_json::from_str(&text).expect("the expanded template is JSON")
});

/// `cargo xtask test` says where it has put the expanded template; run alone, the test expands it with the same environment.
fn expand() -> PathBuf {
    let root = crate::arrows::root();
    let program = std::env::current_exe().expect("a running test");
    let target = program.ancestors().nth(3).expect("the target folder");
    let python = target.join("venv/bin/python");
    assert!(python.is_file(), "no {}: run `cargo xtask test` once, it makes it", python.display());
    let expanded = tempfile::NamedTempFile::new().expect("a temporary file").into_temp_path().keep().expect("its path");
    let status = Command::new(python)
        .arg("-B")
        .arg(root.join("infra/local/template.py"))
        .arg(root.join("template.yaml"))
        .arg(&expanded)
        .status()
        .expect("Python runs");
    assert!(status.success(), "template.yaml does not expand");
    expanded
}

/// The resources of one type, by logical id.
pub(crate) fn resources(kind: &str) -> BTreeMap<&'static str, &'static Value> {
    TEMPLATE["Resources"]
        .as_object()
        .expect("resources")
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), resource))
        .collect()
}

/// The properties of one resource.
pub(crate) fn properties(id: &str) -> &'static Value {
    let resource = &TEMPLATE["Resources"][id];
    assert!(resource.is_object(), "no resource `{id}`");
    &resource["Properties"]
}

/// The logical id that a `Ref`, a `GetAtt`, or the first variable of a `Sub` names, with the path behind it in the case of a `Sub`; both
/// ids of an `If`, and of a `Sub` that spells an ARN out its service and what stands behind the account.
pub(crate) fn referenced(value: &Value) -> Option<String> {
    if let Some(either) = value["Fn::If"].as_array() {
        return Some(format!("{}|{}", referenced(&either[1])?, referenced(&either[2])?));
    }
    if let Some(id) = value["Ref"].as_str() {
        return Some(id.to_owned());
    }
    if let Some(parts) = value["Fn::GetAtt"].as_array() {
        let attribute = parts[1].as_str()?;
        let suffix = if attribute == "StreamArn" { ":stream" } else { "" };
        return Some(format!("{}{suffix}", parts[0].as_str()?));
    }
    let text = value["Fn::Sub"].as_str().or_else(|| value["Fn::Sub"][0].as_str())?;
    if let Some(arn) = text.strip_prefix("arn:${AWS::Partition}:") {
        let (service, rest) = arn.split_once(':')?;
        return Some(format!("{service}:{}", rest.strip_prefix("${AWS::Region}:${AWS::AccountId}:")?));
    }
    let (variable, path) = text.strip_prefix("${")?.split_once('}')?;
    Some(format!("{}{path}", variable.split('.').next()?))
}

/// A value that may be one string or a list of them.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}
