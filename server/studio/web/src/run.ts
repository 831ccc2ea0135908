import { api, type RunOrder } from "./api";
import { cell } from "./cell";
import { desk, dirty, settled } from "./desk";
import { tellError } from "./part/note";
import type { Canned, Problem, Trace } from "./wire";

/** Who a run is made as. */
export interface Who {
  kind: "none" | "made" | "user" | "token";
  user: string;
  token: string;
  groups: string;
  key: boolean;
}

/** What the form of a flow's request holds. */
export interface Request {
  path: Record<string, string>;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: string; // JSON; "" for none
}

/** A Bench is what the Run drawer holds for one file. */
export interface Bench {
  request: Request | null; // null until the form made one
  fakes: Record<string, Partial<Canned>>;
  upTo: string;
}

export const emptyBench: Bench = { request: null, fakes: {}, upTo: "" };

export const benches = cell<Record<string, Bench>>({});
export const who = cell<Who>({ kind: "none", user: "", token: "", groups: "", key: false });

/** The trace that is looked at: of a run of one's own, or of a call that was seen live. */
export interface Shown {
  trace: Trace;
  run: string; // id to run again from; "" of a live call
  at: number; // the step that is looked at, counted in trace.steps
}

export const shown = cell<Shown | null>(null);
export const running = cell(false);
export const refused = cell<Problem[]>([]); // why the last run did not begin

/** What the canvas shows beside the flow. */
export type Lens = "" | "run" | "live" | "tests";
export const lens = cell<Lens>("");

export const benchOf = (file: string): Bench => benches.get()[file] ?? emptyBench;

export function setBench(file: string, part: Partial<Bench>) {
  benches.change((all) => ({ ...all, [file]: { ...(all[file] ?? emptyBench), ...part } }));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error("The body is no JSON: " + (e instanceof Error ? e.message : String(e)));
  }
}

function caller(w: Who): RunOrder["session"] {
  const groups = w.groups.split(/[\s,]+/).filter(Boolean);
  switch (w.kind) {
    case "made":
      return { made: true, groups };
    case "user":
      return { user: w.user, groups };
    case "token":
      return { token: w.token };
  }
  return null;
}

export interface Again {
  from?: string; // place from which nodes run anew
  alone?: boolean;
  upTo?: string;
}

/** start runs the text that is open, and shows its trace on the canvas. */
export async function start(again: Again = {}) {
  await settled();
  const d = desk.get();
  const bench = benchOf(d.file);
  const request = bench.request ?? { path: {}, query: {}, headers: {}, body: "" };
  const last = shown.get();
  running.set(true);
  refused.set([]);
  try {
    const query: Record<string, string[]> = {};
    for (const [name, value] of Object.entries(request.query)) if (value !== "") query[name] = value.split("\n");
    const present = (all: Record<string, string>) => Object.fromEntries(Object.entries(all).filter(([, v]) => v !== ""));
    const ran = await api.run({
      file: d.file,
      text: dirty(d) ? d.text : null,
      input: { path: request.path, query, headers: present(request.headers), body: request.body.trim() === "" ? null : json(request.body) },
      session: caller(who.get()),
      apiKey: who.get().key,
      fakes: bench.fakes,
      upTo: again.upTo ?? bench.upTo,
      from: again.from ?? "",
      again: again.from && last ? last.run : "",
      alone: again.alone ?? false,
    });
    if (desk.get().file !== d.file) return;
    refused.set(ran.problems.filter((p) => !p.warning));
    if (ran.trace) {
      shown.set({ trace: ran.trace, run: ran.id, at: ran.trace.steps.length - 1 });
      lens.set("run");
    }
  } catch (e) {
    tellError(e);
  } finally {
    running.set(false);
  }
}

/** watch shows the trace of a call that was seen live. */
export async function watch(id: string) {
  try {
    const trace = await api.trace(id);
    shown.set({ trace, run: "", at: trace.steps.length - 1 });
    lens.set("run");
  } catch (e) {
    tellError(e);
  }
}

/** stepTo looks at another step of the trace. */
export function stepTo(at: number) {
  const s = shown.get();
  if (!s) return;
  const next = Math.max(0, Math.min(at, s.trace.steps.length - 1));
  lens.set("run");
  shown.set({ ...s, at: next });
}

export function forget() {
  shown.set(null);
  if (lens.get() === "run") lens.set("");
}
