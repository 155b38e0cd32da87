//! The arrows between the rooms: `functions -> {aws, runtime} -> {stripe, policy, ledger} -> domain`. Any edge downward is allowed,
//! none upward or sideways, and what each room is for (pure, or the only one with AWS) shows in what it depends on.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates that only `aws` and the tests' doubles may name.
const AWS_SDK: &str = "aws-sdk-";
/// What a pure room must not depend on: runtimes, sockets, AWS.
const IMPURE: [&str; 6] = ["tokio", "reqwest", "hyper", "aws-", "lambda_", "axum"];

/// A dependency of one package of the workspace.
#[derive(Clone, Debug, PartialEq)]
struct Edge {
    /// Folder of the package, such as `shared/aws`.
    from: String,
    /// Folder of the package it depends on, or the name of a foreign crate.
    to: String,
    /// Only for its tests.
    dev: bool,
}

/// How high a room stands. An edge must lead to a lower one.
fn height(room: &str) -> Option<u8> {
    Some(match room {
        "shared/domain" => 0,
        "shared/stripe" | "shared/policy" | "shared/ledger" => 1,
        "shared/aws" | "shared/runtime" | "shared/pages" => 2,
        // The stand-ins know nothing of Axiru, but for the seam towards Stripe, which one of them answers.
        "infra/stripe-sandbox" => 0,
        "tests/in-process" => 2,
        room if room.starts_with("functions/") => 3,
        "infra/cli" | "infra/empty" | "infra/xtask" | "tests" => 4,
        _ => return None,
    })
}

fn is_stand_in(room: &str) -> bool {
    matches!(room, "tests/in-process" | "infra/stripe-sandbox")
}

/// Every edge that leads the wrong way, in words.
fn wrong(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(|edge| reason(edge).map(|why| format!("{} -> {}: {why}", edge.from, edge.to))).collect()
}

fn reason(edge: &Edge) -> Option<&'static str> {
    let Some(from) = height(&edge.from) else { return Some("this room has no place in the layout") };
    let Some(to) = height(&edge.to) else {
        let sdk = edge.to.starts_with(AWS_SDK);
        if sdk && !matches!(edge.from.as_str(), "shared/aws" | "tests/in-process" | "tests") {
            return Some("only `shared/aws` names the AWS SDK");
        }
        let pure = matches!(edge.from.as_str(), "shared/domain" | "shared/policy" | "shared/ledger");
        // aws-lc-rs is cryptography, not AWS.
        let impure = IMPURE.iter().any(|name| edge.to.starts_with(name)) && edge.to != "aws-lc-rs";
        return (pure && impure && !edge.dev).then_some("this room is pure");
    };
    let product = edge.from.starts_with("shared/") || edge.from.starts_with("functions/");
    match (product, is_stand_in(&edge.to), edge.dev) {
        (true, true, false) => Some("the product must not contain a stand-in"),
        (true, true, true) => None,
        _ if from <= to => Some("an arrow points up or sideways"),
        _ => None,
    }
}

/// The root of the clone whose tests run, which need not be the one whose sources were compiled.
pub(crate) fn root() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&tests).parent().expect("tests is in the root").to_path_buf()
}

/// The edges of this workspace, as cargo sees them.
fn edges() -> Vec<Edge> {
    let root = root();
    let root = root.as_path();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let room = |path: &str| Path::new(path).strip_prefix(root).ok().map(|room| room.display().to_string());
    let mut edges = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = Path::new(package["manifest_path"].as_str().expect("manifest path"));
        let from = room(&manifest.parent().expect("a folder").display().to_string()).expect("in the workspace");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = dependency["name"].as_str().expect("name").to_owned();
            let to = dependency["path"].as_str().and_then(room).unwrap_or(name);
            edges.push(Edge { from: from.clone(), to, dev: dependency["kind"] == "dev" });
        }
    }
    edges
}

#[test]
fn every_arrow_points_down() {
    let edges = edges();
    // So that an empty answer cannot pass.
    assert!(edges.iter().any(|edge| edge.from == "functions/webhook" && edge.to == "shared/runtime"), "{edges:?}");
    assert_eq!(wrong(&edges), Vec::<String>::new());
}

#[test]
fn a_wrong_edge_is_found() {
    let edge = |from: &str, to: &str, dev| Edge { from: from.into(), to: to.into(), dev };
    for bad in [
        edge("shared/domain", "shared/policy", false),
        edge("shared/domain", "shared/ledger", true),
        edge("shared/policy", "shared/ledger", false),
        edge("shared/stripe", "shared/aws", false),
        edge("shared/runtime", "shared/aws", false),
        edge("shared/aws", "shared/runtime", false),
        edge("shared/aws", "functions/webhook", false),
        edge("functions/webhook", "functions/observe", false),
        edge("functions/webhook", "infra/cli", false),
        edge("functions/webhook", "tests/in-process", false),
        edge("shared/aws", "infra/stripe-sandbox", false),
        edge("functions/webhook", "aws-sdk-sqs", false),
        edge("infra/cli", "aws-sdk-dynamodb", false),
        edge("shared/domain", "tokio", false),
        edge("shared/ledger", "aws-sdk-s3", true),
        edge("shared/policy", "reqwest", false),
        edge("shared/new", "shared/domain", false),
    ] {
        assert_eq!(wrong(std::slice::from_ref(&bad)).len(), 1, "{bad:?}");
    }
    for good in [
        edge("functions/webhook", "shared/domain", false),
        edge("shared/aws", "shared/stripe", false),
        edge("shared/aws", "tests/in-process", true),
        edge("shared/aws", "aws-sdk-kms", false),
        edge("shared/ledger", "aws-lc-rs", false),
        edge("infra/xtask", "infra/stripe-sandbox", false),
        edge("tests", "shared/aws", true),
    ] {
        assert_eq!(wrong(std::slice::from_ref(&good)), Vec::<String>::new());
    }
}
