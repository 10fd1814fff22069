// Devices and streams at a glance, worst first, with the latest episodes beside them.
import { el, fill, svg } from "./dom.js";
import { duration, score as shownScore, standing, time } from "./format.js";
import { get } from "./api.js";
import { list } from "./episodes.js";

const WIDTH = 200, TOP = 34;

const LEAST = 0.1;

// Up to `top` from the lower edge, as logarithms: the level, which is 1, lies in the same place as long as all is well.
function height(score, top) {
  return TOP - 2 - (Math.log(Math.max(score, LEAST) / LEAST) / Math.log(top / LEAST)) * (TOP - 4);
}

function spark(scores) {
  const known = scores.filter(([, score]) => score !== null);
  if (known.length < 2) return null;
  const [from, to] = [scores[0][0], scores.at(-1)[0]];
  const top = Math.max(3, ...known.map(([, score]) => score));
  const points = known.map(([at, score]) => `${(((at - from) / (to - from || 1)) * WIDTH).toFixed(1)},${height(score, top).toFixed(1)}`);
  const drawn = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${TOP}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: height(1, top), y2: height(1, top) }), svg("polyline", { points: points.join(" ") }));
  return drawn;
}

// What somebody has done about all that is open.
function seen(open) {
  if (!open.length || !open.every((one) => one.acknowledged || one.snoozed_until)) return null;
  const until = Math.min(...open.map((one) => one.snoozed_until ?? Infinity));
  return open.every((one) => one.acknowledged) || until === Infinity ? "acknowledged" : `snoozed until ${time(until)}`;
}

function card(device, stream, scores, now) {
  const [kind, word] = standing(stream);
  const open = stream.state?.open ?? [];
  const score = stream.state?.score;
  const first = open[0];
  const at = Math.max(now, stream.state?.time ?? 0);
  const waiting = open.length > 1 || stream.state?.more ? `, ${open.length - 1 + (stream.state?.more ?? 0)} more open` : "";
  const planned = stream.state?.planned ? ` · planned: ${stream.state.planned}` : "";
  return el("li", {},
    el("a.card.stream", {
      className: open.length ? `${kind}-edge` : "",
      href: `/stream/${encodeURIComponent(device)}/${encodeURIComponent(stream.id)}`,
    },
    el("div.top", {}, el("h3", {}, stream.id), el("span.pill", { className: kind }, word)),
    spark(scores),
    el("p.small.muted.number", {},
      first ? `${kind} · ${first.channel ? `${first.channel} · ` : ""}for ${duration(at - first.start_time)}${waiting}`
        : score === null || score === undefined ? "no score" : `score ${shownScore(score)}`, planned),
    seen(open) && el("p.small", {}, `✓ ${seen(open)}`)));
}

function deviceSection(device, scores, now, broker) {
  const many = device.streams.length;
  const open = device.streams.filter((stream) => stream.state?.open?.length).length;
  const group = device.group?.members?.length > 1;
  return el("section.device", {},
    el("h2", {}, device.id,
      el("span.pill", { className: device.there ? "ok" : "unknown" }, device.there ? "Online" : broker.there ? "Offline" : "Not known"),
      el("span.small.muted", {}, `${many} ${many === 1 ? "stream" : "streams"}${open ? `, ${open} with an open episode` : ""}`)),
    !device.there && broker.there && el("p.note.unknown", {}, "The gateway is not connected: what follows is what it said last, and nothing is being judged as far as is known."),
    group && el("p.note.warning", {}, `${device.group.members.length} streams failed together; their cause may be one.`),
    el("ul.streams", {}, device.streams.map((stream) => card(device.id, stream, scores[`${device.id}/${stream.id}`] ?? [], now))));
}

export async function overview(main) {
  const scores = {};
  const devices = el("div", {});
  const past = el("div", {}, el("p.muted", {}, "…"));
  fill(main, el("h1", {}, "All machines"), el("div.sides", {}, devices, el("aside.card", { "aria-label": "Episodes" }, el("h2", {}, "Latest episodes"), past)));

  async function refresh() {
    const found = await get("/api/overview", { scores: Object.keys(scores).length ? undefined : 1 });
    const there = new Set(found.devices.flatMap((device) => device.streams.map((stream) => `${device.id}/${stream.id}`)));
    for (const key of Object.keys(scores)) if (!there.has(key)) delete scores[key];
    for (const device of found.devices) {
      for (const stream of device.streams) {
        const key = `${device.id}/${stream.id}`;
        const known = (scores[key] ??= stream.scores ?? []);
        const state = stream.state;
        if (state && (!known.length || state.time > known.at(-1)[0])) known.push([state.time, state.score]);
        if (known.length > 240) known.shift();
      }
    }
    if (!found.devices.length) {
      fill(devices, el("div.card.empty", {}, found.broker.there
        ? "No device has published anything here yet. Start an agent with this broker, and it appears."
        : `The broker is not there: ${found.broker.text}`));
    } else {
      const lost = !found.broker.there && el("p.note.critical", {},
        `The page has lost the broker (${found.broker.text}). What follows is what it heard last; how the machines are now is not known here.`);
      fill(devices, lost, ...found.devices.map((device) => deviceSection(device, scores, found.time, found.broker)));
    }
    const skipped = found.passed_over;
    if (skipped) devices.append(el("p.small.muted", {}, `${skipped} messages were passed over: of a later version, not Offbeat's, or of more gateways than are shown.`));
  }

  async function refreshEpisodes() {
    const found = await get("/api/episodes", { limit: 12 });
    fill(past, list(found.episodes, true, "None so far."));
  }

  await Promise.all([refresh(), refreshEpisodes()]);
  let due = false, more = false;
  return {
    // What comes within a moment is asked for once.
    async heard(message) {
      more ||= ["event", "resync", "hello"].includes(message.kind);
      if (due) return;
      due = true;
      setTimeout(() => {
        due = false;
        Promise.all([refresh(), more && refreshEpisodes()]).catch(console.warn);
        more = false;
      }, 500);
    },
    title: "All machines", crumbs: [], stop() {},
  };
}
