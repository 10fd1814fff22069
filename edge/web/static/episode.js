// One episode: what was unusual, since when, how rare; the rows around it.
import { el, fill } from "./dom.js";
import { KINDS, REASONS, duration, number, rarity, score, time, what, withUnit } from "./format.js";
import { ApiError, get } from "./api.js";
import { channelChart, forgetCharts, scoreChart } from "./chart.js";
import { buttons, marks } from "./episodes.js";
import { legend } from "./stream.js";

function contributors(parts) {
  const row = (one) => el("tr", {},
    el("th", { scope: "row" }, one.channel, el("span.under", {}, REASONS[one.reason] ?? one.reason ?? "")),
    el("td.number", {}, withUnit(one.value, one.unit)),
    el("td.number", {}, one.expected === null ? "–" : number(one.expected) + (one.tolerance ? ` ± ${number(one.tolerance)}` : "")),
    el("td.reason", {}, REASONS[one.reason] ?? one.reason ?? ""),
    el("td", {}, share(one.share)));
  return el("div.scroll", { tabindex: "0", role: "region", "aria-label": "Channels by their share" }, el("table", {},
    el("thead", {}, el("tr", {}, ["Channel", "Value", "Expected", "Unusual in", "Share"].map((name, n) => el(["th", "th.number", "th.number", "th.reason", "th"][n], { scope: "col" }, name)))),
    el("tbody", {}, parts.map(row))));
}

function share(part) {
  const bar = el("span.bar", { "aria-hidden": "true" });
  bar.style.width = `${Math.round((part ?? 0) * 60)}px`;
  return [bar, part === null || part === undefined ? "" : `${Math.round(part * 100)} %`];
}

function facts(event) {
  const peak = event.peak;
  const rows = [
    ["Machine", `${event.device} / ${event.stream}`],
    ["Began", time(event.start_time)],
    ["Ended", event.end_time === null ? "it is open" : `${time(event.end_time)}, after ${duration(event.end_time - event.start_time)}`],
    event.top_score !== null && ["Highest score", `${score(event.top_score)}${peak ? ` at ${time(peak.time)}` : ""} (1 is the level)`],
    rarity(event) && ["Rarity", rarity(event)],
    event.rule && ["Rule", `${event.rule.channel}: ${event.rule.name} ${event.rule.limit === null ? "" : number(event.rule.limit)}`],
    event.model && ["Model", `${event.model.name}, ${event.model.sha256.slice(0, 12)}`],
    ["Id", event.id],
  ].filter(Boolean);
  return el("dl.facts", {}, rows.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));
}

export async function episodePage(main, id) {
  const path = encodeURIComponent(id);
  let event = await get(`/api/episode/${path}`);
  const spans = () => [{ start: event.start_time, end: event.end_time }];
  const head = el("div", {});
  const charts = el("div.charts", {});
  const note = el("div", {});
  fill(main, head, note, legend(), charts);

  async function show() {
    event = await get(`/api/episode/${path}`);
    const state = await get(`/api/stream/${encodeURIComponent(event.device)}/${encodeURIComponent(event.stream)}`).catch(() => null);
    const open = state?.state?.open?.find((one) => one.id === id);
    const parts = event.peak?.contributors ?? event.contributors ?? [];
    fill(head, 
      el("h1", {}, what(event), " ", el("span.pill", { className: event.end_time === null ? event.severity : "unknown" }, event.end_time === null ? event.severity : `over · ${event.severity}`)),
      el("div.card", {}, el("p.muted.facts-of", {}, `${KINDS[event.kind] ?? event.kind}${open && marks(open) ? ` · ${marks(open)}` : ""}`), facts(event),
        parts.length ? contributors(parts) : null,
        open && buttons(event.device, open, state.allowed, show),
        el("div.actions", {}, el("a.button", { href: `/episode/${path}.png`, download: `${event.device}-${event.stream}-${id}.png` }, "Save as picture"),
          el("a.button", { href: `/stream/${encodeURIComponent(event.device)}/${encodeURIComponent(event.stream)}` }, "The stream now"))));
  }

  async function draw() {
    try {
      const rows = await get(`/api/rows/${encodeURIComponent(event.device)}`, { event_id: id });
      const order = (event.peak?.contributors ?? event.contributors ?? []).map((one) => one.channel);
      const rank = (one) => (order.includes(one.name) ? order.indexOf(one.name) : order.length);
      const channels = [...rows.channels].sort((a, b) => rank(a) - rank(b));
      forgetCharts();
      const drawn = [scoreChart(spans), ...channels.map((one) => channelChart(one.name, one.unit, spans))];
      fill(charts, ...drawn.map((chart) => chart.card));
      for (const chart of drawn) chart.show(rows);
      fill(note);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fill(note, el("p.note.unknown", {}, `Its rows cannot be shown: ${error.message}`));
    }
  }

  await show();
  await draw();
  return {
    async heard(message) {
      if (message.kind === "event" && message.id === id) { await show(); await draw(); }
      else if (message.kind === "changed" && message.what.some(([d, s]) => d === event.device && s === event.stream)) await show();
    },
    title: what(event), crumbs: [[event.device, "/"], [event.stream, `/stream/${encodeURIComponent(event.device)}/${encodeURIComponent(event.stream)}`], ["episode", null]],
    stop: forgetCharts,
  };
}
