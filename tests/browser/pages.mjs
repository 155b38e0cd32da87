// Opens every page of a folder as a person would, and fails on what a person could not use.
//
//     node pages.mjs FOLDER OUT CHROMIUM PACKAGES
//
// FOLDER holds HTML documents, OUT receives screenshots, CHROMIUM is the browser, PACKAGES the folder with node_modules.
// Each document is held to: axe-core (WCAG 2.2 A and AA, best practice, and the contrast of AAA), no horizontal scrolling at 320 pixels
// and with doubled text, controls of 44 by 44 pixels, nothing asked of the network, and every form sent by keyboard alone.
// Before, the documents of `broken/` are opened, each with one fault: a check that does not find it has none to tell of others.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [folder, out, chromium, packages] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(packages, "package.json"));
const puppeteer = require("puppeteer-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const ORIGIN = "https://axiru.example";
const WIDTHS = [320, 360, 1280];
const AXE = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] },
  // The style claims 7 to 1.
  rules: { "color-contrast-enhanced": { enabled: true } },
  resultTypes: ["violations"],
};

/** The content policy that the product sends with a page; a mail has none and brings its styles with it. */
function policy(name, html) {
  if (name.startsWith("mail-")) return {};
  const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  const text = `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
  return { "content-security-policy": text };
}

/** A tab that shows one document and reaches nothing else. */
class Tab {
  static async open(browser) {
    const tab = new Tab();
    tab.page = await browser.newPage();
    await tab.page.setRequestInterception(true);
    tab.page.on("request", (request) => tab.answer(request));
    // What the content policy stops is told there.
    tab.page.on("console", (message) => message.text().includes("Content Security Policy") && tab.asked.push(message.text()));
    return tab;
  }

  answer(request) {
    const main = request.isNavigationRequest() && request.frame() === this.page.mainFrame();
    if (main && request.method() === "GET" && request.url() === `${ORIGIN}/${this.name}`) {
      const headers = { ...policy(this.name, this.html), "content-type": "text/html; charset=utf-8" };
      return request.respond({ status: 200, headers, body: this.html });
    }
    if (main && request.method() === "POST") {
      this.sent.push({ path: new URL(request.url()).pathname, body: request.postData() ?? "" });
      return request.respond({ status: 200, contentType: "text/html", body: "<title>sent</title>" });
    }
    // The one thing that a browser asks of its own accord, of the page's own host.
    if (request.url() === `${ORIGIN}/favicon.ico`) return request.respond({ status: 404 });
    this.asked.push(request.url());
    return request.abort();
  }

  async show(name, html, width, height) {
    Object.assign(this, { name, html, asked: [], sent: [] });
    await this.page.setViewport({ width, height, deviceScaleFactor: 1 });
    await this.page.goto(`${ORIGIN}/${name}`, { waitUntil: "load" });
  }
}

/** What axe-core finds. */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(async (options) => {
    const { violations } = await globalThis.axe.run(document, options);
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ").slice(0, 300)}`);
  }, AXE);
  return found.map((violation) => `axe: ${violation}`);
}

/** What reaches beyond the right edge. */
function wide(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth <= clientWidth) return [];
    const beyond = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > clientWidth + 1);
    return [`scrolls sideways: ${scrollWidth} > ${clientWidth}: ${beyond.map((e) => e.tagName).slice(0, 5)}`];
  });
}

/** Controls below 44 by 44 pixels. A link within a sentence is as high as its line (WCAG 2.2, 2.5.8, "inline"). */
function small(page) {
  return page.evaluate(() => {
    const within = (e) => e.tagName === "A" && e.parentElement.textContent.trim().length > e.textContent.trim().length + 1 && !e.closest("nav");
    const controls = [...document.querySelectorAll("a[href],button,input:not([type=hidden]),textarea,select,summary")];
    return controls.flatMap((e) => {
      const { width, height } = e.getBoundingClientRect();
      const fits = width >= 44 && height >= 44;
      return fits || within(e) ? [] : [`${e.tagName} "${e.textContent.slice(0, 40)}" is ${Math.round(width)} by ${Math.round(height)}`];
    });
  });
}

/** What has the focus, and whether one can see that it has. */
function focused(page) {
  return page.evaluate(() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    const box = e.getBoundingClientRect();
    // A mail has no style for the focus: there it is the browser's own.
    const seen = e.matches(":focus-visible") && (outlineStyle === "auto" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2));
    const controls = [...document.querySelectorAll("a[href],button,textarea,input:not([type=hidden])")];
    return { at: controls.indexOf(e), tag: e.tagName, seen, inside: box.left >= 0 && box.width > 0, text: e.textContent.slice(0, 40) };
  });
}

/** Walks through the page by keyboard: every control in its order, each seen when it has the focus. */
async function walk(page) {
  const wrong = [];
  const count = await page.evaluate(() => document.querySelectorAll("a[href],button,textarea,input:not([type=hidden])").length);
  for (let at = 0; at < count; at += 1) {
    await page.keyboard.press("Tab");
    const focus = await focused(page);
    if (focus?.at !== at) wrong.push(`the keyboard reaches ${focus?.at ?? "nothing"} where control ${at} comes next`);
    else if (!focus.inside || (!focus.seen && focus.tag !== "BODY")) wrong.push(`one cannot see that "${focus.text}" has the focus`);
  }
  return wrong;
}

/** Sends every form by every one of its buttons, by keyboard alone, with a reason where there is room for one. */
async function send(tab, name, html) {
  const forms = await tab.page.evaluate(() =>
    [...document.querySelectorAll("button")].map((button) => {
      const controls = [...document.querySelectorAll("a[href],button,textarea,input:not([type=hidden])")];
      // Forms send line breaks as CRLF, whatever they were.
      const hidden = [...button.form.querySelectorAll("input[type=hidden]")].map((input) => [input.name, input.value.replace(/\r?\n/g, "\r\n")]);
      const own = button.name ? [[button.name, button.value]] : [];
      return { at: controls.indexOf(button), action: button.form.getAttribute("action"), fields: [...hidden, ...own] };
    }),
  );
  const wrong = [];
  for (const form of forms) {
    await tab.show(name, html, 320, 640);
    let reason = "";
    for (let at = 0; at <= form.at; at += 1) {
      await tab.page.keyboard.press("Tab");
      const focus = await focused(tab.page);
      if (focus?.tag === "TEXTAREA") await tab.page.keyboard.type((reason = "Why not"));
    }
    await Promise.all([tab.page.waitForNavigation({ timeout: 10_000 }).catch(() => {}), tab.page.keyboard.press("Enter")]);
    const [sent] = tab.sent;
    const got = new URLSearchParams(sent?.body);
    const whole = form.fields.every(([field, value]) => got.getAll(field).join() === value) && (got.get("reason") ?? "") === reason;
    if (tab.sent.length !== 1 || sent.path !== form.action || !whole) wrong.push(`button ${form.at} does not send its form by keyboard`);
  }
  return wrong;
}

async function check(tab, name, html, shots) {
  const wrong = [];
  const note = (width, found) => wrong.push(...found.map((what) => `${name} at ${width}: ${what}`));
  for (const width of WIDTHS) {
    await tab.show(name, html, width, width < 600 ? 640 : 800);
    if (shots) await tab.page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
    note(width, await wide(tab.page));
    note(width, await small(tab.page));
    note(width, await violations(tab.page));
    note(width, tab.asked.map((what) => `asks for ${what}`));
  }
  // Text of twice the size (WCAG 2.2, 1.4.4).
  await tab.show(name, html, 640, 800);
  await tab.page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  note("twice the text", await wide(tab.page));
  await tab.show(name, html, 320, 640);
  note("keyboard", await walk(tab.page));
  note("keyboard", await send(tab, name, html));
  return wrong;
}

/** The documents of a folder. */
async function documents(folder) {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".html")).sort();
  return Promise.all(files.map(async (file) => [file.slice(0, -5), await readFile(join(folder, file), "utf8")]));
}

/** What is not found of the faults that are there. */
async function missed(tab) {
  const wrong = [];
  for (const [name, html] of await documents(fileURLToPath(new URL("broken", import.meta.url)))) {
    const fault = /^<!-- must find: (.*) -->/.exec(html)[1];
    const found = await check(tab, name, html.slice(html.indexOf("\n") + 1));
    if (!found.some((what) => what.includes(fault))) wrong.push(`broken/${name}: "${fault}" is not found, but: ${found.join("; ")}`);
  }
  return wrong;
}

await mkdir(out, { recursive: true });
const pages = await documents(folder);
if (pages.length === 0) throw new Error("there are no pages");
const root = process.getuid?.() === 0;
const browser = await puppeteer.launch({
  executablePath: chromium,
  // So that it ends with this program, whatever ends it.
  pipe: true,
  args: [...(root ? ["--no-sandbox"] : []), "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--hide-scrollbars"],
});
const wrong = [];
try {
  const tab = await Tab.open(browser);
  wrong.push(...(await missed(tab)));
  for (const [name, html] of pages) wrong.push(...(await check(tab, name, html, out)));
} finally {
  await browser.close();
}
for (const what of wrong) console.error(what);
console.log(`${pages.length} pages at ${WIDTHS.join(", ")} pixels: ${wrong.length} things to repair; screenshots in ${out}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
