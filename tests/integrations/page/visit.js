// Visits a page in Chromium: visit.js SCHEME WIDTH HEIGHT SHOT URL [ACTION...] prints what was found as JSON.
// An action is click:SELECTOR, fill:SELECTOR=TEXT, press:KEY, wait:MILLISECONDS or text:SELECTOR=TEXT (waits until the text is there).
const { readFileSync } = require("fs");
const { chromium } = require("playwright-core");

async function act(page, action) {
  const [what, argument] = [action.slice(0, action.indexOf(":")), action.slice(action.indexOf(":") + 1)];
  if (what === "click") await page.click(argument);
  if (what === "fill") await page.fill(...argument.split("="));
  if (what === "press") await page.keyboard.press(argument);
  if (what === "wait") await page.waitForTimeout(Number(argument));
  if (what === "text") {
    const [selector, text] = argument.split("=");
    await page.waitForFunction(([s, t]) => document.querySelector(s)?.textContent.includes(t), [selector, text], { timeout: 20000 });
  }
}

(async () => {
  const [, , scheme, width, height, shot, url, ...actions] = process.argv;
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const viewport = { width: Number(width), height: Number(height) };
  const page = await (await browser.newContext({ colorScheme: scheme, viewport, reducedMotion: process.env.MOTION ?? "no-preference" })).newPage();
  const found = { errors: [], elsewhere: [], dialogs: 0 };
  page.on("console", (message) => { if (message.type() === "error") found.errors.push(message.text()); });
  page.on("pageerror", (error) => found.errors.push(String(error)));
  page.on("dialog", (dialog) => { found.dialogs += 1; dialog.dismiss(); });
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (address.origin !== new URL(url).origin && !["data:", "blob:"].includes(address.protocol)) found.elsewhere.push(request.url());
  });
  await page.goto(url);
  await page.waitForSelector("h1");
  for (const action of actions) await act(page, action);
  await page.waitForTimeout(300);
  found.kilobytes = await page.evaluate(() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .reduce((sum, one) => sum + (one.transferSize || 0), 0) / 1024);
  found.text = await page.evaluate(() => document.body.innerText);
  found.toasts = await page.evaluate(() => document.querySelectorAll("#toasts > *").length);
  found.moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
    const { transitionDuration, animationName } = getComputedStyle(one);
    return animationName !== "none" || transitionDuration.split(",").some((each) => parseFloat(each) > 0);
  }).length);
  found.title = await page.title();
  found.path = new URL(page.url()).pathname;
  found.focus = await page.evaluate(() => document.activeElement?.tagName + " " + (document.activeElement?.textContent ?? "").trim().slice(0, 40));
  found.hacked = await page.evaluate(() => window.hacked ?? null);
  found.sections = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll("section")].map((one) =>
    [one.querySelector("h2")?.textContent ?? "", Math.floor(one.getBoundingClientRect().top + scrollY)])));
  found.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: shot, fullPage: true });
  // axe is a script of ours, not the page's: its rules read the page from a world of their own.
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setBypassCSP", { enabled: true });
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const result = await page.evaluate(() => axe.run());
  found.axe = result.violations.map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  console.log(JSON.stringify(found));
  await browser.close();
})().catch((error) => { console.error(error); process.exit(1); });
