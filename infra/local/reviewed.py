"""checkov over the expanded template: no finding without a reason, no reason without a finding.

The reasons stand in template.yaml, where checkov itself reads them: `Metadata: checkov: skip: [{id, comment}]` on the resource. They survive
the expansion, on functions too. checkov takes a suppression for granted, whether or not there is something to suppress; so the template is
also looked at without any, and what is found then must be exactly what is suppressed. And since a check that finds nothing may be one that
does not look, faults are planted first, which it must find.

    python reviewed.py CHECKOV TEMPLATE FOLDER     CHECKOV is the program, TEMPLATE the expanded template, FOLDER takes what is written

No network: no platform, no download of guidelines, no look for a newer version.
"""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

# A reason that is shorter says nothing.
SHORTEST_REASON = 40

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    # No key of a platform, and no configuration of whoever runs this.
    if not name.startswith(("BC_", "CKV_", "CHECKOV_", "PRISMA_"))
} | {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "LOG_LEVEL": "ERROR"}


def look(checkov: str, template: dict, at: Path):
    """Starts checkov over a template."""
    at.write_text(json.dumps(template, indent=1))
    command = [checkov, "--file", at.name, "--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]
    return subprocess.Popen(
        [*command, "--output", "json"], cwd=at.parent, env=ENVIRONMENT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )


def results(running) -> dict:
    """What a run of checkov says; ends the program if it did not look at everything."""
    told = json.loads(running.communicate()[0])
    summary = told["summary"]
    if summary["parsing_errors"] or summary["resource_count"] < 100:
        sys.exit(f"checkov did not read the template: {summary}")
    return told


def findings(told: dict) -> set[tuple[str, str]]:
    """(resource, check) of what failed."""
    failures = told["results"]["failed_checks"]
    return {(failed["resource"].split(".", 1)[1], failed["check_id"]) for failed in failures}


def suppressed(template: dict) -> dict[tuple[str, str], str]:
    """(resource, check) -> reason, of every suppression that the template has."""
    return {
        (logical_id, skip["id"]): skip.get("comment", "")
        for logical_id, resource in template["Resources"].items()
        # The expansion copies a function's metadata to what it makes of its EventInvokeConfig.
        if resource["Type"] != "AWS::Lambda::EventInvokeConfig"
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }


def bare(template: dict) -> dict:
    """The template without its suppressions."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        resource.get("Metadata", {}).pop("checkov", None)
    return template


def spoiled(template: dict) -> tuple[dict, set[tuple[str, str]]]:
    """The template with one fault of each kind, and what must be found."""
    template = copy.deepcopy(template)
    resources = template["Resources"]
    del resources["DecideLogGroup"]["Properties"]["KmsKeyId"]
    del resources["LedgerTable"]["Properties"]["PointInTimeRecoverySpecification"]
    del resources["StateTable"]["Properties"]["SSESpecification"]
    del resources["DeveloperSecretLive"]["Properties"]["KmsKeyId"]
    resources["SealKey"]["Properties"]["EnableKeyRotation"] = False
    resources["ExportBucket"]["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = False
    statements = resources["DecideRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    # A queue that nobody has given a reason for.
    resources["BareQueue"] = {"Type": "AWS::SQS::Queue"}
    # What checkov takes for an AWS key: the example of AWS's own documentation.
    variables = resources["ExecuteFunction"]["Properties"]["Environment"]["Variables"]
    variables["AXIRU_PLANTED"] = "AKIA" + "IOSFODNN7EXAMPLE"
    return template, {
        ("DecideLogGroup", "CKV_AWS_158"),
        ("LedgerTable", "CKV_AWS_28"),
        ("StateTable", "CKV_AWS_119"),
        ("DeveloperSecretLive", "CKV_AWS_149"),
        ("SealKey", "CKV_AWS_7"),
        ("ExportBucket", "CKV_AWS_53"),
        ("DecideRole", "CKV_AWS_107"),
        ("BareQueue", "CKV_AWS_27"),
        ("ExecuteFunction", "CKV_AWS_45"),
    }


def listed(pairs) -> str:
    return "".join(f"\n    {resource}: {check}" for resource, check in sorted(pairs))


def main() -> None:
    checkov, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    template = json.loads(source.read_text())
    planted, wanted = spoiled(template)
    runs = [
        look(checkov, template, folder / "template.json"),
        look(checkov, bare(template), folder / "bare.json"),
        look(checkov, planted, folder / "spoiled.json"),
    ]
    as_it_is, without, with_faults = map(results, runs)

    wrong = []
    if missed := wanted - findings(with_faults):
        wrong.append(f"checkov did not find what was planted:{listed(missed)}")
    for failed in as_it_is["results"]["failed_checks"]:
        wrong.append(f"{failed['resource']}: {failed['check_id']}, {failed['check_name']}")
    reasons = suppressed(template)
    if stale := reasons.keys() - findings(without):
        wrong.append(f"suppressed, and not found:{listed(stale)}")
    if wordless := {pair for pair, reason in reasons.items() if len(reason.strip()) < SHORTEST_REASON}:
        wrong.append(f"suppressed without a reason:{listed(wordless)}")
    if wrong:
        sys.exit("\n".join(wrong))
    passed = as_it_is["summary"]["passed"]
    kinds = len({check for _, check in reasons})
    print(f"    {passed} passed, {len(reasons)} suppressed with reasons ({kinds} checks), {len(wanted)} planted faults found")


if __name__ == "__main__":
    main()
