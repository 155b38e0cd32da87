"""Deploys the project's template to the local stack and prints the stack's outputs as one line of JSON.

Does what `sam package` and `sam deploy` do on AWS, against an endpoint on this machine: uploads one artefact for each function, points
`CodeUri` at it, creates or updates the stack and waits. Then sets by API what the emulator's CloudFormation accepts and drops.
Never talks to anything but the endpoint it is given.

An artefact holds no copy of the binary, only a `bootstrap` script that starts it: nothing large is zipped, uploaded or kept in the
emulator's memory, a rebuilt binary is used without a deployment, and each function's log is a plain file.
"""

import argparse
import hashlib
import io
import json
import shlex
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

import template

STACK = "axiru"
TEMPLATE_KEY = "template.json"
# The emulator needs well under a second; a minute means that it hangs.
DEPLOY_TIMEOUT_SECS = 60


def starter(binary: Path, log: Path) -> str:
    """A `bootstrap` that starts `binary` and appends what it prints to `log`."""
    return f"#!/bin/sh\nexec >>{shlex.quote(str(log))} 2>&1\nexec {shlex.quote(str(binary))}\n"


def artefact(binary: Path, log: Path) -> bytes:
    """A deployment package of one file, the starter of `binary`."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, starter(binary, log))
    return package.getvalue()


def upload(s3, binaries: list[str], bin_dir: Path, log_dir: Path) -> dict[str, str]:
    """Binary -> key of its uploaded artefact. The key holds the content's hash, so only a change makes an update."""
    s3.create_bucket(Bucket=template.ARTEFACT_BUCKET)
    keys = {}
    for name in binaries:
        binary = bin_dir / name
        if not binary.is_file():
            sys.exit(f"no binary for the function `{name}` at {binary}")
        package = artefact(binary, log_dir / f"{name}.log")
        keys[name] = f"{name}-{hashlib.sha256(package).hexdigest()[:16]}.zip"
        s3.put_object(Bucket=template.ARTEFACT_BUCKET, Key=keys[name], Body=package)
    return keys


def with_numbers(body: dict, parameters: dict[str, str]) -> dict:
    """The template with numbers where it refers to parameters of the type Number.

    CloudFormation passes a number on to a property that wants one; the emulator passes the text, and its event source fails on it.
    """
    numbers = {
        name: int(parameters.get(name, parameter.get("Default")))
        for name, parameter in body["Parameters"].items()
        if parameter["Type"] == "Number"
    }

    def resolve(value):
        if isinstance(value, dict):
            if set(value) == {"Ref"} and value["Ref"] in numbers:
                return numbers[value["Ref"]]
            # An environment holds text only.
            return {key: item if key == "Environment" else resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [resolve(item) for item in value]
        return value

    return {**body, "Resources": resolve(body["Resources"])}


def create_or_update(client, endpoint: str, body: dict, parameters: dict[str, str]) -> None:
    """Starts the deployment; a stack that is up to date already is left alone.

    The template goes by way of the bucket, as with `sam deploy`: the body of a call may have 51,200 bytes only.
    """
    cloudformation = client("cloudformation")
    client("s3").put_object(Bucket=template.ARTEFACT_BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(body).encode())
    request = {
        "StackName": STACK,
        "TemplateURL": f"{endpoint}/{template.ARTEFACT_BUCKET}/{TEMPLATE_KEY}",
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        cloudformation.describe_stacks(StackName=STACK)
    except ClientError:
        cloudformation.create_stack(**request)
        return
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def wait(cloudformation) -> dict[str, str]:
    """The outputs of the finished stack; ends the program with the failed resources otherwise."""
    deadline = time.monotonic() + DEPLOY_TIMEOUT_SECS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        if "ROLLBACK" in status or status.endswith("FAILED"):
            for event in cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]:
                if event["ResourceStatus"].endswith("FAILED"):
                    print(event["LogicalResourceId"], event.get("ResourceStatusReason", ""), file=sys.stderr)
            sys.exit(f"the stack ended in {status}")
        time.sleep(0.1)
    sys.exit(f"the stack was not ready after {DEPLOY_TIMEOUT_SECS} s")


def apply_dropped(client, body: dict, outputs: dict[str, str]) -> None:
    """Sets by API what the emulator's CloudFormation drops: a table's time to live and recovery, a bucket's Object Lock."""
    dynamodb, s3 = client("dynamodb"), client("s3")
    for logical_id in ("StateTable", "LedgerTable"):
        properties = body["Resources"][logical_id]["Properties"]
        table = outputs[f"{logical_id}Name"]
        if "TimeToLiveSpecification" in properties:
            time_to_live = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            if time_to_live["TimeToLiveStatus"] == "DISABLED":
                dynamodb.update_time_to_live(
                    TableName=table, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
                )
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"]
        )

    # Without a default retention: each file is retained when it is written.
    s3.put_object_lock_configuration(
        Bucket=outputs["ExportBucketName"], ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )


def verify_sender(client, parameters: dict[str, str]) -> None:
    """Makes the address that mail comes from a verified identity of SES, which on AWS its owner does by a link or a DNS record."""
    sender = parameters.get("MailFrom")
    if not sender:
        return
    ses = client("sesv2")
    try:
        ses.create_email_identity(EmailIdentity=sender)
    except ClientError as error:
        # Kept by an earlier run.
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


def pairs(values: list[str]) -> dict[str, str]:
    """`NAME=VALUE` arguments as a dictionary."""
    return dict(value.split("=", 1) for value in values)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--endpoint", required=True, help="where the local stack listens")
    arguments.add_argument("--template", required=True, type=Path)
    arguments.add_argument("--bin-dir", required=True, type=Path, help="folder with the built functions")
    arguments.add_argument("--log-dir", required=True, type=Path, help="folder for the functions' logs")
    arguments.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    arguments.add_argument(
        "--secret", action="append", default=[], metavar="OUTPUT=VALUE", help="fills the secret that this output names"
    )
    options = arguments.parse_args()
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )

    def client(service: str):
        return session.client(service, endpoint_url=options.endpoint)

    source = template.load(options.template)
    binaries = sorted(template.functions(source).values())
    keys = upload(client("s3"), binaries, options.bin_dir.resolve(), options.log_dir.resolve())
    parameters = pairs(options.parameter)
    body = with_numbers(template.expand(source, keys), parameters)
    create_or_update(client, options.endpoint, body, parameters)
    outputs = wait(client("cloudformation"))
    apply_dropped(client, body, outputs)
    verify_sender(client, parameters)
    for output, value in pairs(options.secret).items():
        client("secretsmanager").put_secret_value(SecretId=outputs[output], SecretString=value)
    print(json.dumps(outputs))


if __name__ == "__main__":
    main()
