"""Prints everything that a local stack keeps, one JSON object a line: `{"place": "table/<name>/<pk>/<sk>", "text": "..."}`.

Tables, queues with what waits in them, buckets with every version. What is compressed is opened. For whoever wants to know whether something
is there that should not be. Never talks to anything but the endpoint it is given.
"""

import argparse
import base64
import gzip
import json
import sys

import boto3


def clients(endpoint: str, *services: str):
    common = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local")
    return [boto3.client(service, **common) for service in services]


def tell(place: str, text: str) -> None:
    print(json.dumps({"place": place, "text": text}))


def plain(value):
    """An attribute's value as text; bytes as they are and, since they may be text, as text."""
    (kind, content), = value.items()
    if kind == "B":
        return (content if isinstance(content, bytes) else base64.b64decode(content)).decode("utf-8", "replace")
    if kind == "L":
        return [plain(one) for one in content]
    if kind == "M":
        return {name: plain(one) for name, one in content.items()}
    return content if not isinstance(content, set) else sorted(content)


def tables(dynamodb) -> None:
    for table in dynamodb.list_tables()["TableNames"]:
        start = {}
        while True:
            page = dynamodb.scan(TableName=table, **start)
            for item in page["Items"]:
                row = {name: plain(value) for name, value in item.items()}
                key = row.get("sk", row.get("seq"))
                tell(f"table/{table}/{row['pk']}/{key}", json.dumps(row, ensure_ascii=False, default=list))
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def queues(sqs) -> None:
    for url in sqs.list_queues().get("QueueUrls", []):
        name = url.rsplit("/", 1)[-1]
        # Looked at and left: it is delivered again after this.
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30).get("Messages", []):
            for message in messages:
                tell(f"queue/{name}", json.dumps(message, ensure_ascii=False, default=str))


def buckets(s3) -> None:
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for entry in page.get("Versions", []):
                body = s3.get_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])["Body"].read()
                body = gzip.decompress(body) if entry["Key"].endswith(".gz") else body
                tell(f"bucket/{name}/{entry['Key']}", body.decode("utf-8", "replace"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--endpoint", required=True)
    arguments = parser.parse_args()
    dynamodb, sqs, s3 = clients(arguments.endpoint, "dynamodb", "sqs", "s3")
    tables(dynamodb)
    queues(sqs)
    buckets(s3)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
