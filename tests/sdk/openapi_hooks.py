"""What schemathesis cannot read in a schema: hooks that `openapi.py` names to it.

A valid request may still be refused where two places of it disagree, and a random account is nobody's. So that valid requests reach the
decision, they speak of the connected account, name it and the idempotency key in one place only, ask for nothing to be made, and hold no cursor
that no page gave. Whole numbers have no decimal point.
Invalid requests stay as they are.
"""

import datetime
import os

import schemathesis
from hypothesis import strategies as st

ACCOUNT = os.environ["AXIRU_ACCOUNT"]

# The one text that a moment has.
EARLIEST, LATEST = datetime.datetime(1970, 1, 1), datetime.datetime(9998, 12, 31)
schemathesis.openapi.format(
    "date-time",
    st.datetimes(EARLIEST, LATEST).map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
)


def without(headers, *names):
    """Takes headers away, however they are written."""
    for name in list(headers or {}):
        if name.lower() in names:
            del headers[name]


def whole(value):
    """Writes whole numbers without a decimal point: to a schema 120.0 is an integer, the API refuses it where it may mean 120.00 usd."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.method == "POST" and isinstance(case.body, dict) and isinstance(case.body.get("intent"), dict):
        without(case.headers, "idempotency-key", "stripe-account")
        case.body = whole(case.body)
        case.body["intent"]["stripe_connection_id"] = ACCOUNT
        # This server has no way to Stripe: nothing can be made here.
        case.body.pop("execute", None)
        case.body.setdefault("idempotency_key", None)
        if case.body["idempotency_key"] is None:
            case.body["idempotency_key"] = f"made-{case.id}"
    elif case.method == "GET":
        query = case.query or {}
        query.pop("cursor", None)
        if "wait" in query:
            # Nothing happens to what is held here: a longer wait would only be longer.
            query["wait"] = min(int(query["wait"]), 1)
        named = [name for name in case.headers or {} if name.lower() == "stripe-account"]
        without(case.headers, "stripe-account")
        if "account" in query:
            query["account"] = ACCOUNT
        elif named:
            case.headers["Stripe-Account"] = ACCOUNT
