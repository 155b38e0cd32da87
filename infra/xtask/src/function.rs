//! The functions as the template has them, and how one is started on this machine with exactly the settings that the template gives it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};

/// One function of the template.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Name of its binary.
    pub(crate) name: String,
    /// Its settings, with a value of the right form where AWS would know it.
    pub(crate) settings: BTreeMap<String, String>,
}

impl Function {
    /// All of the expanded template, in the order of their names.
    pub(crate) fn all(template: &Path) -> Result<Vec<Self>> {
        let text = std::fs::read_to_string(template).context("no expanded template")?;
        let template: Value = serde_json::from_str(&text).context("the expanded template is not JSON")?;
        let resources = template.get("Resources").and_then(Value::as_object).context("a template without resources")?;
        let functions = resources
            .values()
            .filter(|resource| resource.get("Type").is_some_and(|kind| kind == "AWS::Lambda::Function"));
        let mut all = functions.map(|function| Self::of(&template, function)).collect::<Result<Vec<_>>>()?;
        all.sort_by(|one, other| one.name.cmp(&other.name));
        ensure!(!all.is_empty(), "a template without functions");
        Ok(all)
    }

    fn of(template: &Value, function: &Value) -> Result<Self> {
        let properties = function.get("Properties").context("a function without properties")?;
        let artefact = properties.pointer("/Code/S3Key").and_then(Value::as_str).context("a function without code")?;
        let name = artefact.strip_suffix(".zip").unwrap_or(artefact).to_owned();
        let settings = properties.pointer("/Environment/Variables").and_then(Value::as_object);
        let settings = settings.context("a function without settings")?;
        let settings = settings.iter().map(|(name, value)| (name.clone(), setting(template, name, value))).collect();
        Ok(Self { name, settings })
    }

    /// The program, to be started with this Runtime API and with AWS at that address, and with nothing else of this machine's environment.
    pub(crate) fn command(&self, program: &Path, runtime_api: &str, aws: &str) -> Command {
        let mut command = bare(program, runtime_api);
        command.env("AWS_ENDPOINT_URL", aws).envs(&self.settings);
        command
    }
}

/// A function's binary in a folder of binaries: `NAME/bootstrap`, as cargo-lambda leaves it, or `NAME`.
pub(crate) fn binary(folder: &Path, name: &str) -> PathBuf {
    let named = folder.join(name);
    let bootstrap = named.join("bootstrap");
    if bootstrap.is_file() { bootstrap } else { named }
}

/// A program that is started as Lambda starts functions, without settings of its own.
pub(crate) fn bare(program: &Path, runtime_api: &str) -> Command {
    let mut command = Command::new(program);
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", runtime_api).envs([
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_SESSION_TOKEN", "bench"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Ends a program and waits for its end.
pub(crate) async fn end(mut child: Child) -> Result<()> {
    Ok(child.kill().await?)
}

/// What AWS would put in: a parameter's default, or a name, an address or an ARN of the right form.
fn setting(template: &Value, name: &str, value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    let parameter = value.get("Ref").and_then(Value::as_str).map(|name| format!("/Parameters/{name}/Default"));
    match parameter.and_then(|place| template.pointer(&place)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        // A queue's address is the only setting whose form a client looks at.
        _ if name.ends_with("_QUEUE_URL") => format!("https://sqs.us-east-1.amazonaws.com/111122223333/{name}"),
        _ if name.ends_with("_URL") => "https://bench.example.com".to_owned(),
        _ => format!("bench-{}", name.to_lowercase().replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_have_the_form_that_aws_gives_them() {
        let template =
            json!({"Parameters": {"Level": {"Default": "info"}, "Days": {"Default": 1}, "None": {"Default": ""}}});
        let cases = [
            ("AXIRU_LOG", json!({"Ref": "Level"}), "info"),
            ("AXIRU_DAYS", json!({"Ref": "Days"}), "1"),
            ("AXIRU_MAIL_FROM", json!({"Ref": "None"}), ""),
            ("AXIRU_LITERAL", json!("as it stands"), "as it stands"),
            ("AXIRU_STATE_TABLE", json!({"Ref": "StateTable"}), "bench-axiru-state-table"),
            ("AXIRU_PUBLIC_URL", json!({"Fn::Sub": "…"}), "https://bench.example.com"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(setting(&template, name, &value), expected, "{name}");
        }
    }
}
