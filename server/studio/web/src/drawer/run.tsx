import { useEffect, useMemo, useState } from "react";
import { useCell, usePart } from "../cell";
import { desk } from "../desk";
import { Icon } from "../part/icon";
import { benches, emptyBench, refused, running, setBench, shown, start, who, type Request, type Who } from "../run";
import type { Header, Part } from "../wire";
import { workspace } from "../workspace";
import { TracePane } from "./trace";

/** sample is a request that the flow would take. */
export function sample(h: Header, required: boolean): Request {
  const of = (p: Part | undefined) => (p ? (((required ? p.required : p.sample) ?? {}) as Record<string, unknown>) : {});
  const texts = (p: Part | undefined) => Object.fromEntries(Object.entries(of(p)).map(([k, v]) => [k, Array.isArray(v) ? v.join("\n") : v === null || v === undefined ? "" : String(v)]));
  const body = h.input.body ?? h.input.params;
  const value = body ? (required ? body.required : body.sample) : undefined;
  return { path: texts(h.input.path), query: required ? {} : texts(h.input.query), headers: required ? {} : texts(h.input.headers), body: value === undefined || value === null ? "" : JSON.stringify(value, null, 2) };
}

/** RunPane makes a request, runs the open text with it and shows what happened. */
export function RunPane() {
  const d = useCell(desk);
  const head = d.sheet?.header;
  const busy = useCell(running);
  const readOnly = usePart(workspace, (w) => w.app?.readOnly ?? false);
  const bench = usePart(benches, (all) => all[d.file]) ?? emptyBench;
  const run = useCell(shown);
  const why = useCell(refused);
  useEffect(() => {
    if (head && !bench.request) setBench(d.file, { request: sample(head, true) });
  }, [d.file, head, bench.request]);
  if (!head) return <p className="empty">Open a flow to run it.</p>;
  const request = bench.request ?? sample(head, true);
  const put = (part: Partial<Request>) => setBench(d.file, { request: { ...request, ...part } });
  const wants = head.session === "required" || head.session === "optional";
  const body = head.input.body ?? head.input.params;
  const fakes = Object.keys(bench.fakes).length;
  return (
    <div className="run">
      <form
        className="run-form scroll"
        aria-label="Request"
        tabIndex={-1}
        onSubmit={(e) => {
          e.preventDefault();
          void start();
        }}
      >
        <div className="run-go">
          <button className="button strong" disabled={busy || readOnly} data-keys="Ctrl ⏎" data-tip="Run the text as it is, saved or not">
            <Icon name="play" size={14} />
            {busy ? "Running…" : "Run"}
          </button>
          <button type="button" className="button small plain" onClick={() => put(sample(head, false))} data-tip="Make up a request with everything it can hold">
            Fill in all
          </button>
          <button type="button" className="button small plain" onClick={() => put(sample(head, true))} data-tip="Make up a request with only what is required">
            Required only
          </button>
          <span className="grow" />
          {fakes > 0 && (
            <button type="button" className="chip accent add" data-tip="Take all fakes away" onClick={() => setBench(d.file, { fakes: {} })}>
              <Icon name="mask" size={12} />
              {fakes} faked
              <Icon name="close" size={11} />
            </button>
          )}
          {bench.upTo && (
            <button type="button" className="chip accent add" data-tip="Run to the end again" onClick={() => setBench(d.file, { upTo: "" })}>
              <Icon name="stop" size={12} />
              to {bench.upTo}
              <Icon name="close" size={11} />
            </button>
          )}
        </div>
        {wants && <WhoForm must={head.session === "required"} />}
        {head.apiKey !== "none" && head.apiKey !== "" && <KeyForm />}
        <Lines name="Path" part={head.input.path} values={request.path} put={(path) => put({ path })} />
        <Lines name="Query" part={head.input.query} values={request.query} put={(query) => put({ query })} />
        <Lines name="Headers" part={head.input.headers} values={request.headers} put={(headers) => put({ headers })} />
        {body && <BodyForm key={d.file} part={body} text={request.body} put={(b) => put({ body: b })} />}
        {!body && !head.input.path && !head.input.query && !wants && <p className="soft">This flow takes nothing. Just run it.</p>}
      </form>
      <div className="run-result">
        {why.length > 0 && (
          <div className="notice bad">
            <Icon name="error" size={14} />
            <span>
              It does not compile, so nothing ran: {why[0]?.message} {why.length > 1 && `And ${why.length - 1} more.`}
            </span>
          </div>
        )}
        {run ? (
          <TracePane run={run} />
        ) : (
          why.length === 0 && (
            <div className="empty">
              <Icon name="play" size={22} />
              <p>Run the flow to see each step’s input, output and time here and on the canvas. Secrets are masked.</p>
            </div>
          )
        )}
      </div>
    </div>
  );
}

function Lines({ name, part, values, put }: { name: string; part: Part | undefined; values: Record<string, string>; put: (v: Record<string, string>) => void }) {
  if (!part || part.fields.length === 0) return null;
  return (
    <fieldset className="run-part">
      <legend>{name}</legend>
      {part.fields.map((f) => (
        <label key={f.name} className="run-line">
          <span className="cut" data-tip={f.doc || f.type}>
            {f.name}
            {f.required && <i className="must-dot" aria-label="required" role="img" />}
          </span>
          {f.enum.length > 0 || f.base === "boolean" ? (
            <select className="input" value={values[f.name] ?? ""} onChange={(e) => put({ ...values, [f.name]: e.target.value })}>
              <option value="" />
              {(f.enum.length > 0 ? f.enum : ["true", "false"]).map((v) => (
                <option key={v}>{v}</option>
              ))}
            </select>
          ) : (
            <input className="input mono" placeholder={f.default ?? f.type} value={values[f.name] ?? ""} onChange={(e) => put({ ...values, [f.name]: e.target.value })} />
          )}
        </label>
      ))}
    </fieldset>
  );
}

/** BodyForm edits a body by its fields, or as JSON where it has none of its own. */
function BodyForm({ part, text, put }: { part: Part; text: string; put: (text: string) => void }) {
  const [asText, setAsText] = useState(false);
  const value = useMemo(() => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }, [text]);
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  const byFields = !asText && object && part.fields.length > 0;
  const set = (name: string, v: unknown) => {
    const next = { ...object };
    if (v === undefined) delete next[name];
    else next[name] = v;
    put(JSON.stringify(next, null, 2));
  };
  return (
    <fieldset className="run-part">
      <legend>
        Body
        {part.fields.length > 0 && (
          <button type="button" className="button plain small" aria-pressed={!byFields} onClick={() => setAsText(!asText)}>
            JSON
          </button>
        )}
      </legend>
      {byFields ? (
        part.fields.map((f) => {
          const v = object[f.name];
          const simple = f.base === "string" || f.base === "integer" || f.base === "number" || f.base === "boolean";
          return (
            <label key={f.name} className="run-line">
              <span className="cut" data-tip={f.doc || f.type}>
                {f.name}
                {f.required && <i className="must-dot" aria-label="required" role="img" />}
              </span>
              {f.enum.length > 0 || f.base === "boolean" ? (
                <select className="input" value={v === undefined ? "" : String(v)} onChange={(e) => set(f.name, e.target.value === "" ? undefined : f.base === "boolean" ? e.target.value === "true" : f.base === "string" ? e.target.value : Number(e.target.value))}>
                  <option value="" />
                  {(f.enum.length > 0 ? f.enum : ["true", "false"]).map((w) => (
                    <option key={w}>{w}</option>
                  ))}
                </select>
              ) : simple ? (
                <input
                  className="input mono"
                  placeholder={f.default ?? f.type}
                  value={v === undefined ? "" : String(v)}
                  onChange={(e) => {
                    const t = e.target.value;
                    set(f.name, t === "" && !f.required ? undefined : f.base === "string" || t === "" || !Number.isFinite(Number(t)) ? t : Number(t));
                  }}
                />
              ) : (
                <JSONLine value={v} put={(w) => set(f.name, w)} placeholder={f.type} />
              )}
            </label>
          );
        })
      ) : (
        <textarea className="input mono" aria-label="Body, as JSON" rows={7} value={text} aria-invalid={(text !== "" && value === undefined) || undefined} onChange={(e) => put(e.target.value)} />
      )}
    </fieldset>
  );
}

function JSONLine({ value, put, placeholder }: { value: unknown; put: (v: unknown) => void; placeholder: string }) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value));
  const [wrong, setWrong] = useState(false);
  return (
    <textarea
      className="input mono"
      rows={2}
      value={text}
      placeholder={placeholder + ", as JSON"}
      aria-invalid={wrong || undefined}
      onChange={(e) => {
        setText(e.target.value);
        try {
          put(e.target.value === "" ? undefined : JSON.parse(e.target.value));
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}

function WhoForm({ must }: { must: boolean }) {
  const w = useCell(who);
  const groups = usePart(workspace, (ws) => ws.app?.groups) ?? [];
  const put = (part: Partial<Who>) => who.set({ ...who.get(), ...part });
  return (
    <fieldset className="run-part">
      <legend>Session</legend>
      <label className="run-line">
        <span>As</span>
        <select className="input" value={w.kind} onChange={(e) => put({ kind: e.target.value as Who["kind"] })}>
          <option value="none">{must ? "nobody (it will be refused)" : "nobody"}</option>
          <option value="made">a made-up user</option>
          <option value="user">a user…</option>
          <option value="token">a session’s token…</option>
        </select>
      </label>
      {w.kind === "user" && (
        <label className="run-line">
          <span>User</span>
          <input className="input mono" placeholder="id or e-mail address" value={w.user} onChange={(e) => put({ user: e.target.value })} />
        </label>
      )}
      {w.kind === "token" && (
        <label className="run-line">
          <span>Token</span>
          <input className="input mono" type="password" autoComplete="off" placeholder="sls_…" value={w.token} onChange={(e) => put({ token: e.target.value })} />
        </label>
      )}
      {(w.kind === "user" || w.kind === "made") && (
        <label className="run-line">
          <span>Groups</span>
          <input className="input mono" placeholder={groups.join(", ") || "none"} value={w.groups} onChange={(e) => put({ groups: e.target.value })} />
        </label>
      )}
    </fieldset>
  );
}

function KeyForm() {
  const w = useCell(who);
  return (
    <label className="row check run-key">
      <input type="checkbox" checked={w.key} onChange={(e) => who.set({ ...w, key: e.target.checked })} />
      With an API key that is good for this run
    </label>
  );
}

