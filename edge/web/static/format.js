// Numbers, times and words as people read them.

const DAY = 86400;

export function time(seconds, now = Date.now() / 1000) {
  const date = new Date(seconds * 1000);
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const day = Math.abs(now - seconds) > DAY / 2 || date.getDate() !== new Date(now * 1000).getDate();
  const options = day ? { year: "numeric", month: "short", day: "numeric", ...clock } : clock;
  return date.toLocaleString(undefined, options);
}

export function duration(seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 1.5 * DAY) return `${Number((seconds / 3600).toFixed(1))} h`;
  return seconds < 730 * DAY ? `${Math.round(seconds / DAY)} days` : `${Math.round(seconds / DAY / 365)} years`;
}

export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return Number(value.toPrecision(4)).toLocaleString(undefined, { maximumFractionDigits: 6 });
}

// Scores: beside the level, which is 1.
export function score(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value < 100 ? value.toFixed(2) : number(value);
}

export function withUnit(value, unit) {
  return unit ? `${number(value)} ${unit}` : number(value);
}

export const KINDS = { anomaly: "Off its rhythm", drift: "Drifted", rule: "Limit broken", sensor: "Sensor fault" };
export const REASONS = {
  level: "level", relation: "relation to others", noise: "noise", pattern: "pattern over time",
};

export function standing(stream) {
  const open = stream.state?.open ?? [];
  if (!stream.readable) return ["unknown", "not readable here: a later version?"];
  if (open.length) {
    const severities = ["info", "warning", "critical"];
    const worst = open.reduce((a, b) => (severities.indexOf(b.severity) > severities.indexOf(a.severity) ? b : a));
    return [worst.severity, stream.available ? KINDS[worst.kind] : `${KINDS[worst.kind]} when last heard`];
  }
  if (!stream.available) return ["unknown", "Offline"];
  return { OFF: ["ok", "In rhythm"], commissioning: ["info", "Commissioning"] }[stream.standing] ?? ["unknown", "Not judged"];
}

// Of the loudest row, where null is rarer than the data can tell. The row of an end is calm and says nothing.
export function rarity(event) {
  const row = event.peak ?? (event.event_type === "end" ? null : event);
  const seconds = row?.return_period_s;
  return seconds === null || seconds === undefined ? null : `once in ${duration(seconds)} on normal data`;
}

export function what(event) {
  if (event.rule) {
    return `${event.rule.channel}: ${withUnit(event.rule.value)}, rule ${event.rule.name}` +
      (event.rule.limit === null ? "" : ` ${number(event.rule.limit)}`);
  }
  const first = (event.peak?.contributors ?? event.contributors ?? [])[0];
  if (!first) return KINDS[event.kind] ?? event.kind;
  const expected = first.expected === null ? "" : `, expected ${withUnit(first.expected, first.unit)}`;
  return `${first.channel} ${withUnit(first.value, first.unit)}${expected}`;
}
