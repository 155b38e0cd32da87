"""The AWS SAM CLI against the local stack: what an engineer types to deploy, upgrade, go back and remove, and what is there afterwards.

    python deployed.py SAM ENDPOINT FOLDER BUILT [BINARIES]

SAM is the program, ENDPOINT the local stack, which must be empty, and FOLDER takes what is written. BUILT holds template.yaml and the functions
that its `CodeUri`s name, as `sam build` leaves them in `.aws-sam/build`. With BINARIES, a folder of programs, BUILT is the clone, and the functions
that are deployed start the programs there.

1. A first deployment that fails leaves nothing behind but what the template retains even then.
2. `sam deploy` makes the stack; functions answer at its API.
3. Again, without a change: nothing happens.
4. Another version of every function, and another parameter: every function is replaced, what is kept stays as it is.
5. The older version again: every function is the one from before.
6. `sam delete` removes everything but what the template retains, and that with all that is in it.

Whether AWS itself takes the template is not seen here: roles, quotas and the rules of its services are not the emulator's.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

import template
from deploy import starter

STACK = "axiru"
# The bucket that the SAM CLI makes for what it uploads; it is not the stack's.
SAMS_BUCKET = "aws-sam-cli-managed-default"
# Longer means that it hangs; it takes some ten seconds.
PATIENCE_SECS = 300
# Nothing of the user's own AWS settings reaches the stack.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

# Kind of resource -> how what there is of it is listed: service, call, member of the answer, name in the member (none: the member is names).
LISTED = {
    "AWS::ApiGatewayV2::Api": ("apigatewayv2", "get_apis", "Items", "ApiId"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames", None),
    "AWS::Events::Rule": ("events", "list_rules", "Rules", "Name"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles", "RoleName"),
    "AWS::KMS::Key": ("kms", "list_keys", "Keys", "KeyId"),
    "AWS::Lambda::EventSourceMapping": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "AWS::SES::ConfigurationSet": ("sesv2", "list_configuration_sets", "ConfigurationSets", None),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls", None),
    "AWS::SecretsManager::Secret": ("secretsmanager", "list_secrets", "SecretList", "Name"),
}
# Kinds that are a part of another resource, and go with it.
PARTS = {
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SQS::QueuePolicy",
}

# Path -> what the function behind it says to a stranger. Three functions; `cargo xtask test artefacts` starts all.
ANSWERS = {"GET /privacy": 200, "GET /api/v1/openapi.json": 200, "POST /stripe/webhooks/test": 400}


def ensure(condition: bool, otherwise: str) -> None:
    """Ends the check."""
    if not condition:
        sys.exit(otherwise)


class Account:
    """The local stack as an AWS account."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.session = boto3.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
        )

    def client(self, service: str):
        return self.session.client(service, endpoint_url=self.endpoint)

    def has(self) -> dict[str, set[str]]:
        """Kind of resource -> names of what there is."""
        found = {}
        for kind, (service, call, member, name) in LISTED.items():
            items = getattr(self.client(service), call)().get(member, [])
            found[kind] = {item[name] if name else item for item in items}
        # A key that is deleted is there for some days more.
        states = {key: self.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in found["AWS::KMS::Key"]}
        found["AWS::KMS::Key"] = {key for key, state in states.items() if state != "PendingDeletion"}
        # An invocation that ends after its function's group is gone makes the emulator write a group of its own, which keeps forever. On AWS it
        # cannot: no role may create one.
        groups = self.client("logs").describe_log_groups()["logGroups"]
        found["AWS::Logs::LogGroup"] = {group["logGroupName"] for group in groups if "retentionInDays" in group}
        found["AWS::S3::Bucket"] = {name for name in found["AWS::S3::Bucket"] if not name.startswith(SAMS_BUCKET)}
        return found

    def clear(self, left: dict[str, set[str]]) -> None:
        """Deletes what a failed deployment leaves, as docs/removing.md says."""
        dynamodb = self.client("dynamodb")
        for table in left["AWS::DynamoDB::Table"]:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=table)
        for key in left["AWS::KMS::Key"]:
            self.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    def programs(self) -> dict[str, str]:
        """Function -> hash of its package."""
        functions = self.client("lambda").list_functions()["Functions"]
        return {function["FunctionName"]: function["CodeSha256"] for function in functions}

    def outputs(self) -> dict[str, str]:
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def answer(self, api: str, method: str, path: str) -> int:
        """Status of an answer of the stack's API, which the emulator finds by the name of the host."""
        port = self.endpoint.rsplit(":", 1)[1]
        body = b"{}" if method == "POST" else None
        request = urllib.request.Request(self.endpoint + path, method=method, data=body)
        request.add_header("Host", f"{api}.execute-api.localhost:{port}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


class Sam:
    """The SAM CLI, with a home of its own."""

    def __init__(self, program: str, endpoint: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        self.environment = kept | CREDENTIALS | {
            "AWS_ENDPOINT_URL": endpoint, "HOME": str(home), "SAM_CLI_TELEMETRY": "0",
        }

    def run(self, *arguments: str) -> tuple[bool, str]:
        """Whether a command ended well, and what it printed."""
        ran = subprocess.run(
            [self.program, *arguments], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECS, check=False,
        )
        return ran.returncode == 0, ran.stdout

    def deploy(self, built: Path, *parameters: str) -> tuple[bool, str]:
        """What README's `sam deploy` does, without its questions."""
        return self.run(
            "deploy", "--template-file", str(built / "template.yaml"), "--stack-name", STACK, "--resolve-s3",
            "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset",
            "--no-progressbar", "--parameter-overrides", "Architecture=x86_64", *parameters,
        )


def packages(built: Path) -> list[Path]:
    """The folders of the functions."""
    resources = template.load(built / "template.yaml")["Resources"].values()
    return [
        built / resource["Properties"]["CodeUri"]
        for resource in resources
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def as_built(clone: Path, binaries: Path, folder: Path) -> Path:
    """A folder as `sam build` leaves it, with functions that start the programs in `binaries`: nothing large is zipped and uploaded."""
    built, logs = folder / "built", folder / "logs"
    built.mkdir()
    shutil.copy(clone / "template.yaml", built)
    for package in packages(built):
        package.mkdir(parents=True)
        bootstrap = package / "bootstrap"
        bootstrap.write_text(starter(binaries / package.name, logs / f"{package.name}.log"))
        bootstrap.chmod(0o755)
    return built


def spoiled(built: Path, folder: Path) -> Path:
    """The built folder with a resource more, which cannot be made: the name of a queue that is first in, first out ends with `.fifo`. It waits for
    all that is kept, so that this is there when it fails."""
    spoiled = folder / "spoiled"
    shutil.copytree(built, spoiled)
    body = template.load(spoiled / "template.yaml")
    resources = body["Resources"]
    kept = [name for name, resource in resources.items() if "DeletionPolicy" in resource]
    resources["Spoiled"] = {
        "Type": "AWS::SQS::Queue", "DependsOn": kept, "Properties": {"FifoQueue": True, "QueueName": "not-a-fifo"},
    }
    (spoiled / "template.yaml").write_text(json.dumps(body))
    return spoiled


def fill(account: Account, outputs: dict[str, str]) -> None:
    """Something in everything that is kept and can hold something."""
    dynamodb = account.client("dynamodb")
    dynamodb.put_item(TableName=outputs["StateTableName"], Item={"pk": {"S": "kept"}, "sk": {"S": "kept"}})
    dynamodb.put_item(TableName=outputs["LedgerTableName"], Item={"pk": {"S": "kept"}, "seq": {"N": "1"}})
    account.client("s3").put_object(Bucket=outputs["ExportBucketName"], Key="v1/kept", Body=b"kept")
    for name in ("DeveloperSecretTestArn", "DeveloperSecretLiveArn"):
        account.client("secretsmanager").put_secret_value(SecretId=outputs[name], SecretString="kept")


def check_filled(account: Account, outputs: dict[str, str], when: str) -> None:
    """All of it is there; ends the check if not."""
    try:
        look_for_all(account, outputs, when)
    except ClientError as error:
        sys.exit(f"{when}: {error}")


def look_for_all(account: Account, outputs: dict[str, str], when: str) -> None:
    dynamodb = account.client("dynamodb")
    for table in ("StateTableName", "LedgerTableName"):
        ensure(dynamodb.scan(TableName=outputs[table])["Count"] == 1, f"{when}: a row of {table} is lost")
    kept = account.client("s3").get_object(Bucket=outputs["ExportBucketName"], Key="v1/kept")["Body"].read()
    ensure(kept == b"kept", f"{when}: the export is lost")
    for name in ("DeveloperSecretTestArn", "DeveloperSecretLiveArn"):
        value = account.client("secretsmanager").get_secret_value(SecretId=outputs[name])["SecretString"]
        ensure(value == "kept", f"{when}: {name} is lost")


def another_version(built: Path, folder: Path) -> Path:
    """The built folder with a file more in every function."""
    newer = folder / "newer"
    shutil.copytree(built, newer)
    for package in packages(newer):
        (package / "another-version").write_text("")
    return newer


def retained(expanded: dict, policies: set[str]) -> dict[str, int]:
    """Kind of resource -> how many have one of these policies for when the stack goes."""
    counts = dict.fromkeys(LISTED, 0)
    for name, resource in expanded["Resources"].items():
        ensure(resource["Type"] in LISTED.keys() | PARTS, f"{name}: it is not known how to list a {resource['Type']}")
        if resource["Type"] in LISTED and resource.get("DeletionPolicy") in policies:
            counts[resource["Type"]] += 1
    return counts


def counted(names: dict[str, set[str]]) -> str:
    """How many there are of each kind, in words."""
    return ", ".join(f"{len(named)} {kind}" for kind, named in names.items() if named) or "nothing"


def main() -> None:
    program, endpoint, folder, built = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    if len(sys.argv) > 5:
        built = as_built(built, Path(sys.argv[5]), folder)
    account, sam = Account(endpoint), Sam(program, endpoint, folder)
    expanded = template.expand(template.load(built / "template.yaml"))
    kept, kept_always = retained(expanded, {"Retain", "RetainExceptOnCreate"}), retained(expanded, {"Retain"})

    worked, said = sam.deploy(spoiled(built, folder))
    ensure(not worked and "Spoiled" in said, f"a template that cannot be deployed was:\n{said}")
    sam.run("delete", "--stack-name", STACK, "--no-prompts")
    left = account.has()
    wrong = {kind: names for kind, names in left.items() if len(names) != kept_always[kind]}
    ensure(not wrong, f"a first deployment that failed left behind: {wrong}")
    print("    a first deployment that fails leaves behind " + counted(left))
    account.clear(left)

    worked, said = sam.deploy(built)
    ensure(worked, said)
    outputs, first, there = account.outputs(), account.programs(), account.has()
    for asked, status in ANSWERS.items():
        told = account.answer(outputs["ApiId"], *asked.split(" "))
        ensure(told == status, f"{asked} is answered with {told}, not {status}")
    print(f"    deployed: {len(first)} functions, {sum(map(len, there.values()))} things that can be listed; {len(ANSWERS)} paths answer")

    fill(account, outputs)
    worked, said = sam.deploy(built)
    ensure(worked and "No changes to deploy" in said, f"the same again is a change:\n{said}")

    worked, said = sam.deploy(another_version(built, folder), "LogRetentionDays=30")
    newer = account.programs()
    ensure(worked, said)
    ensure(newer.keys() == first.keys(), "an upgrade makes other functions")
    same = [name for name in first if first[name] == newer[name]]
    ensure(not same, f"an upgrade leaves old programs: {same}")
    check_filled(account, outputs, "upgraded")

    worked, said = sam.deploy(built, "LogRetentionDays=90")
    ensure(worked, said)
    ensure(account.programs() == first, "going back does not put the older programs back")
    check_filled(account, outputs, "back at the older version")
    ensure(account.outputs() == outputs, "upgrading and going back change outputs")
    print("    upgraded and put back: every program replaced both times, nothing lost, every output the same")

    worked, said = sam.run("delete", "--stack-name", STACK, "--no-prompts")
    ensure(worked, said)
    left = account.has()
    wrong = {kind: names for kind, names in left.items() if len(names) != kept[kind]}
    ensure(not wrong, f"after `sam delete` there is more or less than the template keeps: {wrong}")
    other = {kind: names for kind, names in left.items() if not names <= there[kind]}
    ensure(not other, f"what is left after `sam delete` was not there before: {other}")
    check_filled(account, outputs, "removed")
    print("    removed: kept are " + counted(left))


if __name__ == "__main__":
    main()
