// Episodes as a list, and what can be asked of one.
import { el, toast } from "./dom.js";
import { KINDS, duration, rarity, score, time, what } from "./format.js";
import { ApiError, request } from "./api.js";

const SNOOZES = [["Snooze 1 h", 3600], ["8 h", 8 * 3600]];

export function buttons(device, open, allowed, done) {
  const ask = (label, command, fields, said) => el("button", {
    type: "button",
    async onclick(event) {
      event.target.disabled = true;
      try {
        await request(device, command, { ...fields, by: "page" });
        toast(said, "ok");
        done();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        toast(`${label}: ${error.message}`, "critical");
        event.target.disabled = false;
      }
    },
  }, label);
  const id = { event_id: open.id };
  const snoozed = open.snoozed_until !== null && open.snoozed_until !== undefined;
  return el("div.actions", {},
    allowed.includes("ack") && !open.acknowledged && ask("Acknowledge", "ack", id, "Acknowledged."),
    allowed.includes("snooze") && !snoozed && SNOOZES.map(([label, seconds]) =>
      ask(label, "snooze", { ...id, for_s: seconds }, `Nothing is said of it for ${duration(seconds)}, unless it becomes worse.`)),
    allowed.includes("unsnooze") && snoozed && ask("End snooze", "unsnooze", id, "It is told of again."),
    allowed.includes("normal") && open.kind === "anomaly" && ask("That was normal", "normal", id, "What looks like it alerts no more."));
}

export function marks(open) {
  const found = [];
  if (open.acknowledged) found.push(`acknowledged${open.acknowledged_by ? ` by ${open.acknowledged_by}` : ""}`);
  if (open.snoozed_until) found.push(`snoozed until ${time(open.snoozed_until)}`);
  if (open.calming) found.push("calming");
  if (open.group) found.push("with others");
  return found.join(", ");
}

export function openEpisode(device, stream, open, allowed, done) {
  const name = open.rule ? `${open.channel}: ${open.rule}` : open.channel ?? "";
  const said = marks(open);
  return el("li.episode", { className: `${open.severity}-edge` },
    el("a", { href: `/episode/${encodeURIComponent(open.id)}` }, `${KINDS[open.kind]} · ${open.severity}`),
    el("p.small.muted.number", {}, `since ${time(open.start_time)}`),
    el("p", {}, name, open.top_score === null ? "" : ` · score ${score(open.top_score)}`),
    said && el("p.small.muted", {}, said),
    buttons(device, open, allowed, done));
}

export function pastEpisode(event, withStream) {
  const over = event.end_time !== null;
  const length = over ? duration(event.end_time - event.start_time) : "open";
  return el("li.episode", { className: over ? "" : `${event.severity}-edge` },
    el("a", { href: `/episode/${encodeURIComponent(event.id)}` }, `${KINDS[event.kind] ?? event.kind} · ${event.severity}`),
    withStream && el("p.small", {}, `${event.device} / ${event.stream}`),
    el("p.small.muted.number", {}, `${time(event.start_time)} · ${length}`),
    el("p", {}, what(event)),
    rarity(event) && el("p.small.muted", {}, rarity(event)));
}

export function list(events, withStream, empty) {
  if (!events.length) return el("p.muted", {}, empty);
  return el("ul.episodes", {}, events.map((event) => pastEpisode(event, withStream)));
}
