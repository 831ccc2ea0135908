import type { Drawing, FlowCovered, FlowStats, TraceStep } from "../wire";
import type { BoxMark } from "./box";
import type { EdgeMark } from "./wires";

/** What a lens says of a drawing. */
export interface Marks {
  boxes: Map<string, BoxMark>;
  edges: Map<string, EdgeMark>;
}

export const noMarks: Marks = { boxes: new Map(), edges: new Map() };

/** time is a duration in a few characters. */
export function time(ms: number): string {
  if (ms < 0.0995) return Math.max(1, Math.round(ms * 1000)) + " µs";
  if (ms < 10) return ms.toFixed(ms < 1 ? 2 : 1) + " ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0) + " s";
}

export function count(n: number): string {
  return n < 1000 ? String(n) : n < 1_000_000 ? (n / 1000).toFixed(n < 10_000 ? 1 : 0) + "k" : (n / 1_000_000).toFixed(1) + "M";
}

const plain = new Set(["", "ok", "next"]);

/** waysOf lists the ways that are drawn out of each place. */
function waysOf(drawing: Drawing): { place: Map<string, string>; drawn: Map<string, Set<string>> } {
  const place = new Map(drawing.boxes.map((b) => [b.id, b.place]));
  const drawn = new Map<string, Set<string>>();
  for (const e of drawing.edges) {
    const at = place.get(e.from) ?? "";
    drawn.set(at, (drawn.get(at) ?? new Set()).add(e.way));
  }
  return { place, drawn };
}

/**
 * leads tells whether a way out of a step is the one that an edge draws. A way
 * without an edge of its own, such as the else of an if that has none, goes on below.
 */
function leads(edge: string, way: string, drawn: Set<string> | undefined): boolean {
  return edge === way || (plain.has(edge) && (plain.has(way) || !drawn?.has(way)));
}

/** ofTrace marks what a run did, up to the step that is looked at. */
export function ofTrace(drawing: Drawing, file: string, steps: TraceStep[], at: number): Marks {
  const left = new Map<string, Set<string>>();
  const last = new Map<string, { step: TraceStep; times: number; took: number }>();
  steps.slice(0, at + 1).forEach((step) => {
    if (step.file !== "" && step.file !== file) return;
    const before = last.get(step.place);
    last.set(step.place, { step, times: (before?.times ?? 0) + 1, took: (before?.took ?? 0) + step.took });
    const ways = left.get(step.place) ?? new Set();
    ways.add(step.way);
    left.set(step.place, ways);
  });
  const now = steps[at];
  const boxes = new Map<string, BoxMark>();
  const reached = new Set<string>();
  for (const b of drawing.boxes) {
    if (b.kind === "start") {
      if (steps.length > 0) reached.add(b.id);
      continue;
    }
    const seen = last.get(b.place);
    const ended = b.kind === "end";
    if (!seen || (ended && seen.step.way !== b.outcome)) {
      boxes.set(b.id, { text: "", tone: "dim", now: false });
      continue;
    }
    reached.add(b.id);
    const broke = seen.step.error !== "";
    const text = seen.step.took > 0 && b.kind === "node" ? time(seen.took) : "";
    boxes.set(b.id, {
      text: [text, seen.times > 1 ? "×" + seen.times : ""].filter(Boolean).join(" "),
      tone: broke ? "bad" : ended || (b.kind === "answer" && b.class !== "good") ? "warn" : "good",
      now: !!now && now.place === b.place && (now.file === "" || now.file === file) && !ended,
    });
  }
  const edges = new Map<string, EdgeMark>();
  const { place, drawn } = waysOf(drawing);
  for (const e of drawing.edges) {
    const at = place.get(e.from) ?? "";
    const onward = e.to !== "" && plain.has(e.way); // also the ways that came back lead on by it
    const took = onward || e.from === "start" || [...(left.get(at) ?? [])].some((w) => leads(e.way, w, drawn.get(at)));
    const taken = took && reached.has(e.from) && (e.to === "" || reached.has(e.to));
    edges.set(e.id, { class: taken ? "taken" : "missed", text: "" });
  }
  return { boxes, edges };
}

/** ofTests marks the ways that no test takes. */
export function ofTests(drawing: Drawing, covered: FlowCovered | undefined): Marks {
  const times = new Map<string, number>();
  for (const w of covered?.steps ?? []) {
    times.set(w.place + " " + w.way, w.times);
  }
  const { place, drawn } = waysOf(drawing);
  const edges = new Map<string, EdgeMark>();
  for (const e of drawing.edges) {
    const at = place.get(e.from) ?? "";
    const ways = (covered?.steps ?? []).filter((w) => w.place === at && leads(e.way, w.way, drawn.get(at)));
    if (ways.length === 0 || (plain.has(e.way) && e.to !== "" && edges.has(at + "|next|join"))) continue;
    const n = ways.reduce((sum, w) => sum + w.times, 0);
    edges.set(e.id, { class: n > 0 ? "taken" : "uncovered", text: e.kind === "end" ? "" : n > 0 ? "×" + n : "no test" }); // an end has its own
  }
  const boxes = new Map<string, BoxMark>();
  for (const b of drawing.boxes) {
    if (b.kind !== "end") continue;
    const n = times.get(b.place + " " + b.outcome);
    if (n !== undefined) boxes.set(b.id, { text: n > 0 ? "×" + n : "no test", tone: n > 0 ? "good" : "warn", now: false });
  }
  return { boxes, edges };
}

/** ofLive marks counts and times of the calls that were traced. */
export function ofLive(drawing: Drawing, stats: FlowStats | undefined): Marks {
  const steps = new Map((stats?.steps ?? []).map((s) => [s.place, s]));
  const { place, drawn } = waysOf(drawing);
  const boxes = new Map<string, BoxMark>();
  for (const b of drawing.boxes) {
    const s = steps.get(b.place);
    if (b.kind === "end") {
      const n = s?.ways[b.outcome] ?? 0;
      boxes.set(b.id, n > 0 ? { text: "×" + count(n), tone: "warn", now: false } : { text: "", tone: "dim", now: false });
    } else if (b.kind === "node" && s) {
      boxes.set(b.id, { text: `p50 ${time(s.p50)} · p99 ${time(s.p99)}`, tone: "", now: false });
    } else if (b.kind === "answer" && s) {
      boxes.set(b.id, { text: "×" + count(s.runs), tone: "", now: false });
    } else if (b.kind !== "start" && b.kind !== "frame" && !s) {
      boxes.set(b.id, { text: "", tone: "dim", now: false });
    }
  }
  const edges = new Map<string, EdgeMark>();
  for (const e of drawing.edges) {
    const at = place.get(e.from) ?? "";
    const n = e.from === "start" ? (stats?.calls ?? 0) : Object.entries(steps.get(at)?.ways ?? {}).reduce((sum, [way, times]) => sum + (leads(e.way, way, drawn.get(at)) ? times : 0), 0);
    const again = plain.has(e.way) && e.to !== "" && drawing.edges.some((o) => o !== e && o.from === e.from && o.to === "" && o.way === e.way);
    edges.set(e.id, { class: n > 0 ? "" : "missed", text: n > 0 && !again && e.kind !== "end" ? count(n) : "" });
  }
  return { boxes, edges };
}
