// Charts: what was read over what was expected with its tolerance, the score over its level, episodes as spans.
import { el } from "./dom.js";
import { number, score, withUnit } from "./format.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const HEIGHT = 132;
const charts = new Set();

function drawSpans(plot, episodes) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("--span");
  for (const { start, end } of episodes) {
    const from = Math.max(plot.valToPos(start, "x", true), bbox.left);
    const to = end === null ? bbox.left + bbox.width : Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
    if (to >= bbox.left && from <= bbox.left + bbox.width) ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
  }
  ctx.restore();
}

function drawLevel(plot) {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(1, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colour("--critical");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function axes(log) {
  const common = {
    stroke: () => colour("--muted"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  // Of a logarithm's lines those that have a number.
  const round = (_plot, ticks) => ticks.map((tick) => (tick && /^[125]e/.test(tick.toExponential()) ? tick : null));
  const values = (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick)));
  const scale = log ? { space: 18, values, filter: round, grid: { ...common.grid, filter: round } } : { space: 24 };
  return [{ ...common, space: 70, size: 22, values: dates }, { ...common, size: 54, ...scale }];
}

const HALF_A_TIME = 24;

// Without the last one where the edge would cut it.
function dates(plot, ticks, _axis, _space, step) {
  const options = step >= 86400 ? { month: "short", day: "numeric" }
    : step >= 60 ? { hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const right = plot.bbox.width / devicePixelRatio - HALF_A_TIME;
  return ticks.map((tick) => (right > 0 && plot.valToPos(tick, "x") > right ? "" : new Date(tick * 1000).toLocaleString(undefined, options)));
}

function make(title, unit, series, extra, log) {
  const now = el("span.number");
  const place = el("div.plot");
  const card = el("section.card.chart", { className: log ? "wide" : "" },
    el("div.top", {}, el("h2", {}, unit ? `${title} (${unit})` : title), now), place);
  const options = {
    width: 300, height: HEIGHT, padding: [6, 10, 0, 0], series, legend: { show: false }, axes: axes(log),
    cursor: { sync: { key: "offbeat" }, points: { show: false }, y: false, drag: { x: true, y: false } },
    scales: { x: { time: true }, y: log ? { distr: 3, range: (_plot, low, high) => [Math.min(Math.max(low, 0.02), 0.2), Math.max(high * 1.3, 3)] } : {} },
    ...extra,
  };
  place.setAttribute("role", "img");
  const chart = { card, now, place, plot: null, options };
  charts.add(chart);
  return chart;
}

function show(chart, data) {
  if (!chart.plot && chart.place.isConnected) {
    chart.options.width = Math.max(chart.place.clientWidth, 200);
    chart.plot = new uPlot(chart.options, data, chart.place);
    new ResizeObserver(() => {
      const width = chart.place.clientWidth;
      if (width && chart.plot) chart.plot.setSize({ width, height: HEIGHT });
    }).observe(chart.place);
  } else {
    chart.plot?.setData(data);
  }
}

export function scoreChart(episodes) {
  const series = [{}, { stroke: () => colour("--expected"), width: 1.5, points: { show: false } }];
  const hooks = { drawClear: [(plot) => drawSpans(plot, episodes())], draw: [drawLevel] };
  const chart = make("Score", "", series, { hooks }, true);
  return {
    card: chart.card,
    show(rows) {
      // A logarithm has no zero; a score below what the chart shows lies on its lower edge.
      show(chart, [rows.times, rows.scores.map((score) => (score === null ? null : Math.max(score, 0.02)))]);
      const last = rows.scores.at(-1);
      chart.now.textContent = last === null || last === undefined ? "not judged" : `now ${score(last)}, level 1`;
      chart.place.setAttribute("aria-label", `Score over time, ${chart.now.textContent}`);
    },
  };
}

export function channelChart(name, unit, episodes) {
  const read = () => colour("--read");
  const expected = () => colour("--expected");
  const series = [
    {}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } },
    { stroke: expected, width: 1, dash: [4, 3], points: { show: false } }, { stroke: read, width: 1.4, points: { show: false } },
  ];
  const extra = { bands: [{ series: [2, 1], fill: () => colour("--band") }], hooks: { drawClear: [(plot) => drawSpans(plot, episodes())] } };
  const chart = make(name, unit, series, extra, false);
  return {
    card: chart.card,
    show(rows) {
      const values = rows.values[name] ?? [];
      const middle = rows.expected[name] ?? [];
      const reach = rows.tolerance[name] ?? [];
      const edge = (sign) => middle.map((at, n) => (at === null || reach[n] === null ? null : at + sign * reach[n]));
      show(chart, [rows.times, edge(-1), edge(1), middle, values]);
      const [value, at, by] = [values.at(-1), middle.at(-1), reach.at(-1)];
      const known = value !== null && at !== null && value !== undefined && at !== undefined;
      chart.now.textContent = value === null || value === undefined ? "no reading" : known ? `${withUnit(value, unit)} · expected ${number(at)}` : withUnit(value, unit);
      chart.card.classList.toggle("outside", known && by !== null && by !== undefined && Math.abs(value - at) > by);
      chart.place.setAttribute("aria-label", `${name} over time: ${chart.now.textContent}`);
    },
  };
}

export function forgetCharts() {
  for (const chart of charts) chart.plot?.destroy();
  charts.clear();
}

export function redrawAll() {
  for (const chart of charts) chart.plot?.redraw(false, true);
}
