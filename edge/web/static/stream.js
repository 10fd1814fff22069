// One stream: its channels with what was expected, its score, its episodes, how it does.
import { el, fill } from "./dom.js";
import { duration, standing, time } from "./format.js";
import { ApiError, get } from "./api.js";
import { channelChart, forgetCharts, scoreChart } from "./chart.js";
import { list, openEpisode } from "./episodes.js";

const KEPT = 600;

export function legend() {
  const entry = (kind, text) => el("li", {}, el(`i.${kind}`), text);
  return el("ul.legend", {}, entry("is-read", "read"), entry("is-expected", "expected"), entry("is-band", "what normal rows stay within"), entry("is-span", "episode"));
}

export class Rows {
  constructor() { this.columns = null; }

  // Rows that follow those that are known; others begin anew.
  add(found) {
    const before = this.columns;
    const same = before && before.channels.map((one) => one.name).join("\n") === found.channels.map((one) => one.name).join("\n");
    if (!same || (found.times.length && before.times.length && found.times[0] < before.times[0])) {
      this.columns = found;
      return !same;
    }
    const from = found.times.findIndex((at) => at > (before.times.at(-1) ?? -Infinity));
    if (from >= 0) {
      const join = (kept, more) => [...kept, ...more.slice(from)].slice(-KEPT);
      before.times = join(before.times, found.times);
      before.scores = join(before.scores, found.scores);
      for (const part of ["values", "expected", "tolerance"]) {
        for (const name of Object.keys(before[part])) before[part][name] = join(before[part][name], found[part][name]);
      }
    }
    return false;
  }
}

function spansOf(open, past) {
  const known = past.map((event) => ({ id: event.id, start: event.start_time, end: event.end_time }));
  const ids = new Set(known.map((one) => one.id));
  return [...known, ...open.filter((one) => !ids.has(one.id)).map((one) => ({ start: one.start_time, end: null }))];
}

export async function streamPage(main, device, stream) {
  let state = null, past = [], stopped = false;
  const rows = new Rows();
  const episodes = () => spansOf(state?.state?.open ?? [], past);
  const head = el("div", {});
  const charts = el("div.charts", {});
  const openList = el("div", {});
  const pastList = el("div", {});
  const note = el("div", {});
  let drawn = [];
  fill(main, head, el("div.sides", {}, el("div", {}, note, legend(), charts),
    el("aside", {}, el("section.card.first", {}, el("h2", {}, "Open"), openList), el("section.card", {}, el("h2", {}, "Before"), pastList))));

  async function refreshState() {
    state = await get(`/api/stream/${encodeURIComponent(device)}/${encodeURIComponent(stream)}`);
    const [kind, word] = standing(state);
    const age = state.state ? Date.now() / 1000 - state.state.time : null;
    fill(head, el("h1", {}, `${stream} `, el("span.pill", { className: kind }, word)),
      state.trouble && el("p.note.unknown", {}, `Not judged: ${state.trouble}`),
      state.state?.planned && el("p.note.info", {}, `Planned: ${state.state.planned}. Nothing is said of the stream meanwhile.`),
      age > 60 && el("p.small.muted", {}, `last row ${time(state.state.time)}, ${duration(age)} ago`));
    const open = state.state?.open ?? [];
    fill(openList, open.length
      ? el("ul.episodes", {}, open.map((one) => openEpisode(device, stream, one, state.allowed, refreshState)))
      : el("p.muted", {}, state.available ? "Nothing is open." : "Nothing is known to be open; the stream is offline."));
    if (state.state?.more) openList.append(el("p.small.muted", {}, `and ${state.state.more} more`));
    if (open.length && !state.allowed.length) openList.append(el("p.small.muted", {}, "This device takes no requests; [requests] allow in its agent.toml says which."));
  }

  async function refreshPast() {
    past = (await get("/api/episodes", { device, stream, limit: 30 })).episodes;
    fill(pastList, list(past.filter((event) => event.end_time !== null), false, "None so far."));
  }

  async function refreshRows() {
    const since = rows.columns?.times.at(-1);
    try {
      const isNew = rows.add(await get(`/api/rows/${encodeURIComponent(device)}`, { stream, since }));
      fill(note);
      if (isNew || !drawn.length) {
        forgetCharts();
        drawn = [scoreChart(episodes), ...rows.columns.channels.map((one) => channelChart(one.name, one.unit, episodes))];
        fill(charts, ...drawn.map((chart) => chart.card));
      }
      for (const chart of drawn) chart.show(rows.columns);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fill(note, el("p.note.unknown", {}, `Rows cannot be shown: ${error.message}. The device shows them where [requests] allow has "rows".`));
    }
  }

  async function follow() {
    while (!stopped) {
      if (!document.hidden) await refreshRows().catch(console.warn);
      const times = rows.columns?.times ?? [];
      const period = times.length > 1 ? times.at(-1) - times.at(-2) : 2;
      await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(period, 1), 30) * 1000));
    }
  }

  await Promise.all([refreshState(), refreshPast()]);
  follow();
  return {
    async heard(message) {
      const ours = message.kind !== "changed" || message.more || message.what.some(([d, s]) => d === device && (s === stream || s === null));
      if (ours) await refreshState();
      if (message.kind === "event" || message.kind === "resync" || message.kind === "hello") await refreshPast();
    },
    title: `${stream} · ${device}`, crumbs: [[device, "/"], [stream, null]],
    stop() { stopped = true; forgetCharts(); },
  };
}
