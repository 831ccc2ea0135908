import { useEffect, useState } from "react";
import { api } from "../api";
import { useCell } from "../cell";
import { sample } from "../drawer/run";
import { StatusChip } from "../drawer/live";
import { Dialog } from "../part/dialog";
import { JSONView } from "../part/json";
import { time } from "../canvas/marks";
import type { Request } from "../run";
import type { Sheet } from "../wire";
import { entry, workspace } from "../workspace";

interface Got {
  status: number;
  took: number;
  body: unknown;
  headers: [string, string][];
}

/** TryIt calls an endpoint as any client does, over HTTP. */
export function TryIt({ file, close }: { file: string; close: () => void }) {
  const app = useCell(workspace).app;
  const trigger = entry(app, file)?.triggers[0];
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const [request, setRequest] = useState<Request>({ path: {}, query: {}, headers: {}, body: "" });
  const [session, setSession] = useState("");
  const [key, setKey] = useState("");
  const [got, setGot] = useState<Got | null>(null);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    api.flow(file).then(
      (s) => {
        setSheet(s);
        if (s.header) setRequest(sample(s.header, true));
      },
      (e: unknown) => setWrong(e instanceof Error ? e.message : String(e)),
    );
  }, [file]);
  const head = sheet?.header;
  const send = async () => {
    if (!trigger) return;
    setWrong("");
    const path = trigger.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(request.path[name] ?? ""));
    const query = new URLSearchParams();
    for (const [k, v] of Object.entries(request.query)) if (v !== "") for (const one of v.split("\n")) query.append(k, one);
    const headers: Record<string, string> = { ...Object.fromEntries(Object.entries(request.headers).filter(([, v]) => v !== "")) };
    if (session) headers.Session = session;
    if (key) headers.Authorization = key;
    const hasBody = request.body.trim() !== "" && trigger.method !== "GET";
    if (hasBody) headers["Content-Type"] = "application/json";
    const began = performance.now();
    try {
      const r = await fetch(path + (query.size > 0 ? "?" + query : ""), { method: trigger.method, headers, credentials: "omit", body: hasBody ? request.body : undefined });
      const text = await r.text();
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {
        // What is no JSON is shown as it came.
      }
      setGot({ status: r.status, took: performance.now() - began, body: text === "" ? undefined : body, headers: [...r.headers] });
    } catch {
      setWrong("The server does not answer.");
    }
  };
  const line = (part: "path" | "query" | "headers", name: string) => (
    <label key={part + name} className="run-line">
      <span className="cut">{name}</span>
      <input className="input mono" value={request[part][name] ?? ""} onChange={(e) => setRequest({ ...request, [part]: { ...request[part], [name]: e.target.value } })} />
    </label>
  );
  return (
    <Dialog
      wide
      title={trigger ? `${trigger.method} ${trigger.path}` : file}
      close={close}
      footer={
        <>
          <span className="grow soft">This is a real call of the endpoint that is served.</span>
          <button className="button strong" disabled={!head} onClick={() => void send()}>
            Send
          </button>
        </>
      }
    >
      <div className="try">
        <div className="stack">
          {head?.input.path?.fields.map((f) => line("path", f.name))}
          {head?.input.query?.fields.map((f) => line("query", f.name))}
          {head?.input.headers?.fields.map((f) => line("headers", f.name))}
          {head && head.session !== "none" && (
            <label className="run-line">
              <span>Session</span>
              <input className="input mono" type="password" autoComplete="off" placeholder="sls_…" value={session} onChange={(e) => setSession(e.target.value)} />
            </label>
          )}
          {head && head.apiKey !== "none" && head.apiKey !== "" && (
            <label className="run-line">
              <span>API key</span>
              <input className="input mono" type="password" autoComplete="off" placeholder="slk_…" value={key} onChange={(e) => setKey(e.target.value)} />
            </label>
          )}
          {head?.input.body && (
            <div className="field">
              <label htmlFor="try-body">Body</label>
              <textarea id="try-body" className="input mono" rows={10} value={request.body} onChange={(e) => setRequest({ ...request, body: e.target.value })} />
            </div>
          )}
        </div>
        <div className="try-answer" role="status">
          {wrong && <p className="notice bad">{wrong}</p>}
          {got ? (
            <>
              <p className="row">
                <StatusChip status={got.status} />
                <span className="soft mono">{time(got.took)}</span>
              </p>
              {got.body === undefined ? <p className="soft">No body.</p> : <JSONView value={got.body} />}
              <details className="more">
                <summary>Headers</summary>
                <dl className="answer-headers mono">
                  {got.headers.map(([k, v], i) => (
                    <div key={i}>
                      <dt className="faint">{k}</dt>
                      <dd>{v}</dd>
                    </div>
                  ))}
                </dl>
              </details>
            </>
          ) : (
            <p className="soft">The answer comes here.</p>
          )}
        </div>
      </div>
    </Dialog>
  );
}
