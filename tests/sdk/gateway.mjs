// Stripe's official Node client through Axiru's gateway, unmodified but for its base address.
//
//     node gateway.mjs shadow|enforced PACKAGES     (PACKAGES holds node_modules/stripe)
//
// The environment says where: AXIRU_URL, SANDBOX_URL, SCOPE, PARTNER, MANY (a charge with 105 refunds), AGENT_KEY, STAFF_KEY. In `shadow`
// no plan is enforced and Stripe's own answers must come back; in `enforced` the starter plans of all but disputes are. Prints a line for each thing that
// was tried, and exits with 1 at the first that is off.

import { createRequire } from "node:module";

const [phase, packages] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const loaded = load("stripe");
const Stripe = loaded.default ?? loaded;
const { AXIRU_URL, SANDBOX_URL, SCOPE, PARTNER, MANY, AGENT_KEY, STAFF_KEY } = process.env;
const enforced = phase === "enforced";
// Longest wait for Stripe's webhook to tell Axiru what a lost answer did not.
const PATIENCE_MS = 30_000;

class Failure extends Error {}

function clientFor(key, maxNetworkRetries = 0) {
  const { hostname: host, port, protocol } = new URL(AXIRU_URL);
  return new Stripe(key, { host, port, protocol: protocol.slice(0, -1), maxNetworkRetries, telemetry: false });
}

function check(condition, what) {
  if (!condition) throw new Failure(what);
}

const row = (what, answer) => console.log(`    ${what.padEnd(44)} ${answer}`);

// Runs `action`, which must end in exactly this error.
async function raises(what, kind, action, code, status) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const found = `${error.type} ${error.statusCode} ${error.code}`;
    check(error.type === kind, `${what}: expected ${kind}, got ${found}: ${error.message}`);
    check(code === undefined || error.code === code, `${what}: expected code ${code}, got ${found}`);
    check(status === undefined || error.statusCode === status, `${what}: expected status ${status}, got ${found}`);
    row(what, found);
    return error;
  }
  throw new Failure(`${what}: expected ${kind}, but nothing was thrown`);
}

async function sandbox(at, body) {
  const answer = await fetch(`${SANDBOX_URL}/_sandbox/${at}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  check(answer.ok, `the sandbox refused ${at}: ${answer.status}`);
  return answer.json();
}

const charge = async (amount = 50_000) => (await sandbox(`${SCOPE}/charges`, { amount, currency: "usd" })).id;
const order = (fault, times = 1) => sandbox("faults", { method: "POST", path: "/v1/refunds", fault, times });

// What is made under enforcement bears Axiru's mark; in shadow nothing is changed.
function marked(made, what) {
  const mark = made.metadata?.axiru_request;
  check((mark !== undefined) === enforced, `${what}: the mark is ${mark}`);
  check(mark === undefined || mark.startsWith("dec_"), `${what}: the mark is ${mark}`);
}

async function refunds(agent) {
  const made = await agent.refunds.create({ charge: await charge(), amount: 1_234, metadata: { order: "7" } });
  check(made.object === "refund" && made.amount === 1_234 && made.metadata.order === "7", "Stripe's own answer");
  check(made.lastResponse.requestId?.startsWith("req_"), "Stripe's own headers");
  marked(made, "a refund");
  row("create a refund of 12.34", `${made.status}, ${enforced ? "marked" : "unmarked"}`);
  const read = await agent.refunds.retrieve(made.id, { expand: ["balance_transaction"] });
  check(read.balance_transaction.object === "balance_transaction", "an expanded balance transaction");
  row("retrieve it with an allowed expand", read.balance_transaction.object);
  await raises("retrieve it with the charge expanded", "StripeInvalidRequestError", () => agent.refunds.retrieve(made.id, { expand: ["charge"] }), "axiru_expand", 400);
  const changed = await agent.refunds.update(made.id, { metadata: { case: "12" } });
  check(changed.metadata.case === "12" && changed.metadata.order === "7", "metadata");
  row("update its metadata", "updated");
  const held = { charge: await charge(), amount: 6_100 };
  const blocked = { charge: await charge(900_000), amount: 610_000 };
  if (enforced) {
    const error = await raises("create one of 61.00", "StripeInvalidRequestError", () => agent.refunds.create(held), "approval_required", 400);
    const asked = error.raw.approval_request;
    check(asked.id.startsWith("dec_") && asked.status === "pending", `an approval request, got ${JSON.stringify(asked)}`);
    check(asked.expires_at > Date.now() / 1000, `an approval that can still be given, got ${asked.expires_at}`);
    const why = await raises("create one of 6100.00", "StripePermissionError", () => agent.refunds.create(blocked), "axiru_blocked", 403);
    check(why.message.includes("block-above-5000"), `the reason is not told: ${why.message}`);
    for (const none of [held, blocked]) {
      check((await agent.refunds.list({ charge: none.charge })).data.length === 0, "something was refunded all the same");
    }
  } else {
    for (const what of [held, blocked]) {
      check((await agent.refunds.create(what)).amount === what.amount, "in shadow everything passes");
      row(`create one of ${(what.amount / 100).toFixed(2)}`, "passes");
    }
  }
}

async function lists(agent) {
  const found = new Set();
  for await (const refund of agent.refunds.list({ charge: MANY, limit: 25 })) found.add(refund.id);
  check(found.size === 105, `105 refunds, found ${found.size}`);
  row("list with auto-paging, 25 a page", `${found.size} refunds`);
}

async function mistakes(agent) {
  const invalid = "StripeInvalidRequestError";
  await raises("a wrong key", "StripeAuthenticationError", () => clientFor("axk_test_wrong").refunds.list(), undefined, 401);
  await raises("a Stripe key", "StripeAuthenticationError", () => clientFor("sk_test_wrong").refunds.list(), undefined, 401);
  await raises("an unknown refund", invalid, () => agent.refunds.retrieve("re_Nowhere"), "resource_missing", 404);
  await raises("a refund of an unknown charge", invalid, () => agent.refunds.create({ charge: "ch_Nowhere", amount: 100 }), "resource_missing", 404);
  const paid = await charge();
  const same = { idempotencyKey: `order-${process.hrtime.bigint()}` };
  const first = await agent.refunds.create({ charge: paid, amount: 700 }, same);
  const again = await agent.refunds.create({ charge: paid, amount: 700 }, same);
  check(first.id === again.id, "the same key gives the same refund");
  row("the same key and parameters again", "the same refund");
  await raises("the same key, other parameters", "StripeIdempotencyError", () => agent.refunds.create({ charge: paid, amount: 701 }, same), undefined, 400);
  await raises("a route that is not proxied", invalid, () => agent.customers.create({}), "axiru_route_unknown", 404);
  const refused = { charge: await charge(), amount: 100, currency: "usd" };
  const error = await raises("a refused parameter", invalid, () => agent.refunds.create(refused), enforced ? "axiru_parameter_not_taken" : undefined, 400);
  check(error.param === "currency", `the parameter is not named: ${error.param}`);
  const typo = { charge: await charge(), ammount: 100 };
  await raises("a misspelt parameter", invalid, () => agent.refunds.create(typo), enforced ? "axiru_unknown_parameter" : "parameter_unknown", 400);
  const kind = enforced ? "StripePermissionError" : invalid;
  await raises("a side door", kind, () => agent.creditNotes.create({ invoice: "in_1" }), enforced ? "axiru_side_door" : undefined);
}

async function faults() {
  const [hasty, patient] = [clientFor(AGENT_KEY), clientFor(AGENT_KEY, 4)];
  const refund = (client, paid, options = {}) => client.refunds.create({ charge: paid, amount: 321 }, options);
  const once = async (paid, what) => {
    const found = (await hasty.refunds.list({ charge: paid })).data.length;
    check(found === 1, `${what}: ${found} refunds instead of one`);
    row(what, "exactly one refund");
  };
  let paid = await charge();
  await order("rate_limit");
  await raises("Stripe is busy, no retries", "StripeRateLimitError", () => refund(hasty, paid), undefined, 429);
  // Another charge: the equal call that Stripe was too busy for may still be made by whoever asked for it.
  paid = await charge();
  await order("key_in_use", 2);
  await refund(patient, paid);
  await once(paid, "a 409, and the client tries again");
  paid = await charge();
  await order("drop_after_effect", 3);
  await refund(patient, paid);
  await once(paid, "the answer is lost three times");
  // Stripe remembers a 500 under the key: only what happened tells that it happened.
  paid = await charge();
  const same = { idempotencyKey: `late-${process.hrtime.bigint()}` };
  await order("error_500_after_effect");
  await raises("made, and answered with a 500", "StripeAPIError", () => refund(hasty, paid, same), undefined, enforced ? 503 : 500);
  if (enforced) {
    const started = Date.now();
    let made;
    while (made === undefined) {
      try {
        made = await refund(hasty, paid, same);
      } catch (error) {
        check(error.type === "StripeAPIError" && Date.now() - started < PATIENCE_MS, `never told what became of it: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    check(made.object === "refund" && made.amount === 321, "the refund that was made");
  }
  await once(paid, "and asked again");
}

async function payouts(agent, staff) {
  const bank = (await sandbox(`${SCOPE}/external_accounts`, { bank_name: "Test Bank" })).id;
  const made = await staff.payouts.create({ amount: 5_000, currency: "usd", destination: bank, metadata: { run: "1" } });
  check(made.status === "pending" && made.metadata.run === "1", "a payout");
  marked(made, "a payout");
  const canceled = await staff.payouts.cancel(made.id);
  check(canceled.status === "canceled", "a cancelled payout");
  row("create a payout, and cancel it", canceled.status);
  await raises("cancel it twice", "StripeInvalidRequestError", () => staff.payouts.cancel(made.id), undefined, 400);
  const alone = { amount: 5_100, currency: "usd", destination: bank };
  if (enforced) {
    await raises("an agent pays out", "StripeInvalidRequestError", () => agent.payouts.create(alone), "approval_required", 400);
  } else {
    await agent.payouts.create(alone);
    row("an agent pays out", "passes");
  }
}

async function transfers(staff) {
  const made = await staff.transfers.create({ amount: 3_000, currency: "usd", destination: PARTNER });
  check(made.object === "transfer" && made.destination === PARTNER, "a transfer");
  marked(made, "a transfer");
  row("create a transfer", "made");
  if (enforced) {
    await raises("reverse a part", "StripeInvalidRequestError", () => staff.transfers.createReversal(made.id, { amount: 1_000 }), "approval_required", 400);
  } else {
    const reversal = await staff.transfers.createReversal(made.id, { amount: 1_000 });
    check(reversal.object === "transfer_reversal" && reversal.amount === 1_000, "a reversal");
    row("reverse a part", "made");
  }
}

async function disputes(staff) {
  const { id } = await sandbox(`${SCOPE}/disputes`, { charge: await charge(4_200), reason: "product_not_received" });
  const staged = await staff.disputes.update(id, { evidence: { customer_name: "Pat" }, submit: false });
  check(staged.status === "needs_response", `staged evidence is not submitted: ${staged.status}`);
  const sent = await staff.disputes.update(id, { evidence: { uncategorized_text: "It arrived." }, submit: true });
  check(sent.status === "under_review", `submitted evidence: ${sent.status}`);
  row("stage evidence, and submit", sent.status);
  const second = await sandbox(`${SCOPE}/disputes`, { charge: await charge(900) });
  const lost = await staff.disputes.close(second.id);
  check(lost.status === "lost", `a closed dispute: ${lost.status}`);
  row("close a dispute", lost.status);
}

if (phase !== "shadow" && phase !== "enforced") throw new Error("usage: gateway.mjs shadow|enforced PACKAGES");
const [agent, staff] = [clientFor(AGENT_KEY), clientFor(STAFF_KEY)];
console.log(`    stripe ${Stripe.PACKAGE_VERSION} for Node (${process.version}), ${phase}`);
try {
  await refunds(agent);
  await lists(agent);
  await mistakes(agent);
  await faults();
  await payouts(agent, staff);
  await transfers(staff);
  await disputes(staff);
} catch (error) {
  console.error(`not as Stripe's client expects: ${error.name}: ${error.message}`);
  process.exit(1);
}
// Open connections would keep the program for another minute.
process.exit(0);
