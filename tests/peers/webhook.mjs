// Verifies one signed event many times with Stripe's official Node package; prints nanoseconds for each, as JSON.
//
//     node webhook.mjs FOLDER ROUNDS PACKAGES     (FOLDER holds `body`, `header` and `secret`; PACKAGES a `node_modules/stripe`)

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, rounds, packages] = process.argv.slice(2);
const load = createRequire(`${packages}/`)("stripe");
const Stripe = load.default ?? load;
const stripe = new Stripe("sk_test_nothing");
const body = readFileSync(`${folder}/body`);
const [header, secret] = ["header", "secret"].map((name) => readFileSync(`${folder}/${name}`, "utf8"));

function timed(work) {
  // The compiler needs some rounds to warm up.
  for (let i = 0; i < rounds / 4; i++) work();
  const started = process.hrtime.bigint();
  for (let i = 0; i < rounds; i++) work();
  return Number(process.hrtime.bigint() - started) / Number(rounds);
}

let refused = false;
try {
  stripe.webhooks.constructEvent(Buffer.concat([body, Buffer.from(" ")]), header, secret);
} catch {
  refused = true;
}
if (!refused) throw new Error("a changed body was accepted");
const event_ns = timed(() => stripe.webhooks.constructEvent(body, header, secret));
const verify_ns = timed(() => stripe.webhooks.signature.verifyHeader(body, header, secret, 300));
console.log(JSON.stringify({ version: Stripe.PACKAGE_VERSION, verify_ns, event_ns }));
