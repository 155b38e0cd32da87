"""SAM's own validation of template.yaml as it is written.

Two parts: the translator, which refuses what it does not know while it expands (it is what `sam validate` runs), and the schema that comes with
it. A check that finds nothing may be one that does not look, so each kind of fault is planted once and must be refused.

    python valid.py TEMPLATE
"""

import copy
import logging
import sys
import warnings
from pathlib import Path

# The schema's validator says that it may be withdrawn some day; until then it is the one that there is.
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import template  # noqa: E402
from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.validator.validator import SamTemplateValidator  # noqa: E402


def errors(body: dict) -> list[str]:
    """What SAM says of a template."""
    found = SamTemplateValidator().get_errors(body)
    try:
        template.expand(copy.deepcopy(body))
    except InvalidDocumentException as error:
        found += [cause.message for cause in error.causes]
    return found


def misspelt(body: dict) -> None:
    body["Resources"]["ConnectFunction"]["Properties"]["Timout"] = 29


def unknown_event(body: dict) -> None:
    body["Resources"]["ExportFunction"]["Properties"]["Events"]["Ledger"]["Type"] = "Dynamo"


def incomplete_event(body: dict) -> None:
    del body["Resources"]["ExportFunction"]["Properties"]["Events"]["Ledger"]["Properties"]["StartingPosition"]


def unknown_global(body: dict) -> None:
    body["Globals"]["Function"]["Secrets"] = {}


def nothing_deployed(body: dict) -> None:
    body["Resources"] = {}


FAULTS = [misspelt, unknown_event, incomplete_event, unknown_global, nothing_deployed]


def main() -> None:
    body = template.load(Path(sys.argv[1]))
    if found := errors(body):
        sys.exit("\n".join(found))
    for fault in FAULTS:
        spoiled = copy.deepcopy(body)
        fault(spoiled)
        if not errors(spoiled):
            sys.exit(f"SAM does not refuse a planted fault: {fault.__name__}")
    print(f"    valid; {len(FAULTS)} planted faults found")


if __name__ == "__main__":
    main()
