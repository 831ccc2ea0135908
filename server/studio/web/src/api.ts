import { cell } from "./cell";
import type {
  Access, App, Canned, Draft, Edited, FlowCovered, Gesture, Input, Kept, LiveCall, LiveState, Caller, Offers, Ran, Reload, FlowStats,
  Saved, Sheet, TestFile, TestReport, Theirs, Trace,
} from "./wire";

const base = "/_studio/api/";

/** The token of the studio's session, for as long as the tab lives. */
const tokenName = "sluice.studio.token";
export const token = {
  get: () => sessionStorage.getItem(tokenName) ?? "",
  set: (value: string) => (value ? sessionStorage.setItem(tokenName, value) : sessionStorage.removeItem(tokenName)),
};

/** A Refusal is an answer of the server that is no success. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown,
  ) {
    super(message);
  }
}

/** Whether the server answers; false while it is away. */
export const online = cell(true);
/** Set when a session is wanted and the one there is, if any, is not good. */
export const locked = cell(false);

function headers(more: Record<string, string> = {}): Record<string, string> {
  const t = token.get();
  return { "X-Studio": "1", ...(t ? { Session: t } : {}), ...more };
}

async function refusal(r: Response): Promise<Refusal> {
  let first: { code?: string; message?: string; details?: unknown } = {};
  try {
    first = ((await r.json()) as { errors?: (typeof first)[] }).errors?.[0] ?? {};
  } catch {
    // What is no JSON is told by its status.
  }
  return new Refusal(r.status, first.code ?? "", first.message ?? `The server answered ${r.status}.`, first.details);
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let r: Response;
  try {
    r = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init });
  } catch (e) {
    if (init.signal?.aborted) throw e;
    online.set(false);
    throw new Refusal(0, "away", "The server does not answer. Is it running?", null);
  }
  online.set(true);
  if (r.ok) return r;
  const why = await refusal(r);
  if (r.status === 401) locked.set(true);
  throw why;
}

async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call(base + path, { headers: headers(), signal })).json() as Promise<T>;
}

async function send<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const r = await call(base + path, { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body), signal });
  return (r.status === 204 ? null : r.json()) as Promise<T>;
}

/** stream reads server-sent events until they end or the signal says so. */
async function stream(path: string, init: RequestInit, told: (event: string, data: unknown) => void) {
  const r = await call(base + path, init);
  const reader = r.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const field = (name: string) => lines.filter((l) => l.startsWith(name + ":")).map((l) => l.slice(name.length + 1).trimStart());
      const data = field("data").join("\n");
      if (data) told(field("event")[0] ?? "message", JSON.parse(data));
    }
  }
}

export interface RunOrder {
  file: string;
  text: string | null;
  input: Input;
  session: Partial<Caller> | null;
  apiKey: boolean;
  fakes: Record<string, Partial<Canned>>;
  upTo: string;
  from: string;
  again: string;
  alone: boolean;
}

export interface Mail {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  sentAt: string;
}

export const api = {
  access: () => read<Access>("access"),
  app: () => read<App>("app"),
  flow: (file: string) => read<Sheet>("flow?file=" + encodeURIComponent(file)),
  draw: (d: Draft, signal?: AbortSignal) => send<Sheet>("flow/draw", d, signal),
  edit: (file: string, text: string, edits: Gesture[]) => send<Edited>("flow/edit", { file, text, edits }),
  complete: (q: { file: string; text: string; place: string; line: number; column: number }, signal?: AbortSignal) => send<Offers>("flow/complete", q, signal),
  format: (d: Draft) => send<Sheet>("flow/format", d),
  save: (file: string, text: string, revision: string) => send<Saved>("flow/save", { file, text, revision }),
  remove: (file: string, revision: string) => send<Saved>("flow/delete", { file, revision }),
  rename: (file: string, to: string, revision: string) => send<Saved>("flow/rename", { file, to, revision }),
  run: (r: RunOrder) => send<Ran>("run", r),
  keep: (run: string, name: string, fake: boolean) => send<Kept>("test/keep", { run, name, fake }),
  report: () => read<TestReport>("tests"),
  test: (file: string, name: string, each: (f: TestFile) => void, done: (r: TestReport) => void) =>
    stream("tests", { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify({ file, name }) }, (event, data) => {
      if (event === "file") each(data as TestFile);
      else if (event === "report") done(data as TestReport);
      else if (event === "error") throw new Error((data as { errors?: { message?: string }[] }).errors?.[0]?.message ?? "The tests broke off.");
    }),
  live: (signal: AbortSignal, told: (event: "state" | "call" | "stats" | "reload", data: LiveState | LiveCall | FlowStats[] | Reload) => void) =>
    stream("live", { headers: headers(), signal }, (event, data) => told(event as "call", data as LiveCall)),
  trace: (id: string) => read<Trace>("trace?id=" + encodeURIComponent(id)),
  command: <T>(name: string, input: unknown) => send<T>("do/" + name, input),
  mail: () => read<{ mails: Mail[] }>("mail"),
  openapi: () => read<OpenAPI>("openapi"),
};

export type Covered = FlowCovered;

/** theirs are the details of a save that came too late, or null for another error. */
export function theirs(e: unknown): Theirs | null {
  return e instanceof Refusal && e.code === "changed_on_disk" ? (e.details as Theirs) : null;
}

/** An OpenAPI document, as far as the reference shows it. */
export interface OpenAPI {
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema>; responses?: Record<string, unknown> };
}

export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema; description?: string }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema; examples?: Record<string, unknown> }> }>;
  security?: unknown[];
}

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
}
