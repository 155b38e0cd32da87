"""The project's template, expanded as AWS would expand it.

Owns the one call of the SAM translator. What it returns is what AWS CloudFormation would see: the linter, the tests and the local
deployment all read this form. It changes nothing but `CodeUri`, which a deployment always rewrites to where the artefacts were uploaded.

    python template.py TEMPLATE OUT     write the expanded template as JSON
"""

import json
import os
import sys
from pathlib import Path

# The translator asks for a region when it looks up its partition; no call is made.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

ARTEFACT_BUCKET = "axiru-artefacts"


def functions(template: dict) -> dict[str, str]:
    """Logical id -> binary name, which is the last folder of `CodeUri`."""
    return {
        logical_id: Path(resource["Properties"]["CodeUri"]).name
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def load(path: Path) -> dict:
    """The template as written."""
    return yaml_parse(path.read_text())


def expand(template: dict, keys: dict[str, str] | None = None) -> dict:
    """The template as AWS sees it. `keys` maps a binary to its object in the artefact bucket."""
    for logical_id, binary in functions(template).items():
        key = (keys or {}).get(binary, f"{binary}.zip")
        template["Resources"][logical_id]["Properties"]["CodeUri"] = {"Bucket": ARTEFACT_BUCKET, "Key": key}
    return Translator({}, Parser()).translate(template, {})


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(json.dumps(expand(load(source)), indent=1))
