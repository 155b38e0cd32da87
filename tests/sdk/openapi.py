"""The description of the native API, checked against the API itself.

    python openapi.py target/debug/examples/decide_server

Checks that the document is OpenAPI 3.1, then lets schemathesis ask what the description allows and what it forbids: every answer must be
as described, what is valid taken, and what is not refused. Exits with 1 at anything that is off. Needs the packages of requirements.txt.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = pathlib.Path(__file__).parent

# Cases of each operation in each phase; all of it takes some 30 seconds.
EXAMPLES = 100

SEED = 20261031


def schemathesis(ready):
    """Every check, of valid and of invalid requests, and of decisions read back."""
    environment = dict(os.environ, AXIRU_ACCOUNT=ready["account"], SCHEMATHESIS_HOOKS="openapi_hooks", PYTHONPATH=str(HERE))
    command = [sys.executable, "-B", "-m", "schemathesis.cli", "--no-color"]
    command += ["run", f"http://127.0.0.1:{ready['port']}/api/v1/openapi.json"]
    command += ["--header", f"Authorization: Bearer {ready['key']}", "--checks", "all", "--mode", "all"]
    command += ["--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-database", "none", "--continue-on-failure"]
    # Nothing of a run is kept.
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode


def main(program):
    server = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        ready = json.loads(server.stdout.readline())
        # The rest are metrics.
        threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{ready['port']}/api/v1/openapi.json") as answer:
            OpenAPIV31SpecValidator(json.load(answer)).validate()
        return 0 if schemathesis(ready) == 0 else 1
    finally:
        server.stdin.close()
        server.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
