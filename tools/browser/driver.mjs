// Drives one page of a real browser by commands on standard input, one JSON document a line, and answers each
// with one. Whoever started it ends its process group, and removes the folder in BROWSER_HOME.
import { createInterface } from "node:readline";
import { symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const home = process.env.BROWSER_HOME;
// The browser finds its fonts by this file alone: pictures look the same on every machine.
const font = dirname(require.resolve("@expo-google-fonts/noto-sans-sc/package.json"));
for (const weight of ["400Regular", "700Bold"]) symlinkSync(join(font, weight), join(home, weight));
writeFileSync(join(home, "fonts.conf"),
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${home}</dir>` +
  `<cachedir>${home}/cache</cachedir></fontconfig>`);
process.env.FONTCONFIG_PATH = home;
process.env.FONTCONFIG_FILE = join(home, "fonts.conf");
process.env.HOME = home;
process.env.TMPDIR = home;
const { chromium } = await import("playwright-core");
const { default: lambda } = await import("@sparticuz/chromium");

const browser = await chromium.launch({
  executablePath: await lambda.executablePath(),
  // In a single process, its default, the whole browser ends with its first context.
  args: [...lambda.args.filter((each) => each !== "--single-process"), "--font-render-hinting=none"],
});
browser.on("disconnected", () => process.exit(1));
const problems = [];
let context, page;

async function open(options) {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(20000);
  problems.length = 0;
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
}

const commands = {
  open,
  goto: async (url) => (await page.goto(url, { waitUntil: "load" })).status(),
  click: (selector) => page.click(selector),
  fill: (selector, text) => page.fill(selector, text),
  select: (selector, value) => page.selectOption(selector, value).then(() => null),
  press: (key) => page.keyboard.press(key),
  wait: (selector) => page.locator(selector).first().waitFor().then(() => null),
  text: (selector) => page.locator(selector).first().innerText(),
  texts: (selector) => page.locator(selector).evaluateAll(
    (all) => all.map((each) => each.innerText ?? each.textContent)), // the text of a picture has no innerText
  attribute: (selector, name) => page.locator(selector).first().getAttribute(name),
  evaluate: (script) => page.evaluate(script),
  url: async () => page.url(),
  problems: async () => problems.splice(0),
  screenshot: (path) => page.screenshot({ path }).then(() => null),
};

await open({});
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await commands[name](...given)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
