// Which view is shown, and what is live.
import { el, fill, say, toast } from "./dom.js";
import { KINDS, what } from "./format.js";
import { ApiError, get, live, logout, session } from "./api.js";
import { redrawAll } from "./chart.js";
import { overview } from "./overview.js";
import { streamPage } from "./stream.js";
import { episodePage } from "./episode.js";

const main = document.getElementById("main");
let view = null;

// An address that is none stays as it is: nothing is found under it.
function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function route(path) {
  const [kind, ...parts] = path.split("/").filter(Boolean).map(decoded);
  if (kind === "stream" && parts.length === 2) return () => streamPage(main, ...parts);
  if (kind === "episode" && parts.length === 1) return () => episodePage(main, parts[0]);
  return () => overview(main);
}

function showCrumbs(crumbs) {
  fill(document.getElementById("crumbs"), crumbs.map(([name, address]) =>
    (address ? el("a", { href: address }, name) : el("span", { "aria-current": "page" }, name))));
}

let turn = 0;

async function go(path, focus) {
  const mine = (turn += 1);
  view?.stop();
  view = null;
  try {
    const shown = await route(path)();
    if (mine !== turn) return shown.stop();
    view = shown;
    document.title = `${view.title} · Offbeat`;
    showCrumbs(view.crumbs);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fill(main, el("div.card.empty", {}, el("h1", {}, "Nothing to show"), el("p", {}, error.message), el("p", {}, el("a", { href: "/" }, "All machines"))));
    showCrumbs([]);
  }
  if (focus) { main.focus({ preventScroll: true }); scrollTo(0, 0); }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  const plain = !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.hasAttribute("download") || link.target) return;
  event.preventDefault();
  history.pushState(null, "", link.getAttribute("href"));
  go(location.pathname, true);
});
addEventListener("popstate", () => go(location.pathname, true));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

function showBroker(there, text) {
  const pill = document.getElementById("broker");
  pill.className = `pill ${there ? "ok" : "critical"}`;
  pill.textContent = there ? "Live" : "Not live";
  pill.title = text;
  // What was calm when the page last heard of it may be calm no longer.
  document.body.classList.toggle("stale", !there);
}

const told = new Set();
let asking = 0;

// Streams that fail together are told of once; of very many at a time, some: all of them are on the page.
async function tell(message) {
  if (asking >= 30) return;
  asking += 1;
  const event = await get(`/api/episode/${encodeURIComponent(message.id)}`).catch(() => null);
  asking -= 1;
  if (!event || event.event_type !== "new" || told.has(event.group ?? event.id)) return;
  told.add(event.group ?? event.id);
  if (told.size > 1000) told.delete(told.values().next().value);
  const text = `${event.stream}: ${KINDS[event.kind] ?? event.kind}, ${event.severity}. ${what(event)}`;
  say(text);
  toast(text, event.severity);
}

async function heard(message) {
  window.offbeatHeardAt = performance.now();
  if (message.kind === "hello" || message.kind === "resync") {
    const found = await get("/api/overview");
    showBroker(found.broker.there, found.broker.text);
  }
  if (message.kind === "broker") showBroker(message.there, message.text);
  if (message.kind === "event") tell(message);
  await view?.heard(message);
}

const found = await session();
const leave = document.getElementById("logout");
leave.hidden = !found.password;
leave.addEventListener("click", logout);
await go(location.pathname, false);
live((message) => heard(message).catch(console.warn), () => showBroker(false, "the page has lost its server; trying again"));
