import { useEffect, useMemo, useRef, useState } from "react";
import { api, type OpenAPI, type Operation, type Schema } from "../api";
import { Icon } from "../part/icon";
import { score } from "../part/match";
import { Sheet, useLoad } from "./load";

interface Entry {
  method: string;
  path: string;
  op: Operation;
}

/** Reference renders the OpenAPI document of what is served. */
export function Reference({ id }: { id: string }) {
  const { got, wrong } = useLoad(() => api.openapi(), []);
  const [word, setWord] = useState("");
  const all = useMemo<Entry[]>(() => Object.entries(got?.paths ?? {}).flatMap(([path, ops]) => Object.entries(ops).map(([m, op]) => ({ method: m.toUpperCase(), path, op }))), [got]);
  const shown = useMemo(() => (word.trim() ? all.filter((e) => score(`${e.method} ${e.path} ${e.op.summary ?? ""} ${e.op.tags?.join(" ") ?? ""}`, word) > 0) : all), [all, word]);
  const [open, setOpen] = useState(id);
  useEffect(() => setOpen(id), [id]);
  const current = all.find((e) => e.method + e.path === open) ?? shown[0];
  const detail = useRef<HTMLDivElement>(null);
  useEffect(() => {
    detail.current?.scrollTo(0, 0);
  }, [current]);
  const groups = useMemo(() => [...Map.groupBy(shown, (e) => e.op.tags?.[0] ?? e.path.split("/")[1] ?? "")], [shown]);
  return (
    <Sheet
      title="API reference"
      about={got ? `${got.info.title}, ${all.length} operations, each with exactly the errors that it can give` : ""}
      wrong={wrong}
      loading={!got}
      tools={
        <>
          <div className="search wide">
            <Icon name="search" size={14} />
            <input aria-label="Search operations" placeholder="Search operations" value={word} onChange={(e) => setWord(e.target.value)} />
          </div>
          <button className="button" disabled={!got} onClick={() => got && download("openapi.json", JSON.stringify(got, null, 2))}>
            <Icon name="save" size={14} />
            openapi.json
          </button>
        </>
      }
    >
      {got && (
        <div className="reference">
          <nav className="reference-list scroll" aria-label="Operations" tabIndex={-1}>
            {groups.map(([name, list]) => (
              <section key={name}>
                <h2 className="group-name">{name || "/"}</h2>
                {list.map((e) => (
                  <button key={e.method + e.path} className="option" aria-current={current === e ? "true" : undefined} onClick={() => setOpen(e.method + e.path)}>
                    <span className={"method short " + e.method}>{e.method === "DELETE" ? "DEL" : e.method}</span>
                    <span className="cut mono">{e.path}</span>
                  </button>
                ))}
              </section>
            ))}
          </nav>
          <div className="reference-detail scroll" ref={detail} tabIndex={0} role="region" aria-label="Operation">
            {current ? <Detail doc={got} entry={current} /> : <p className="empty">No operation is called that.</p>}
          </div>
        </div>
      )}
    </Sheet>
  );
}

function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function Detail({ doc, entry: { method, path, op } }: { doc: OpenAPI; entry: Entry }) {
  const body = Object.values(op.requestBody?.content ?? {})[0]?.schema;
  return (
    <article className="operation">
      <h2 className="row">
        <span className={"method " + method}>{method}</span>
        <span className="mono">{path}</span>
      </h2>
      <p>{op.summary}</p>
      {op.description && op.description !== op.summary && <p className="soft">{op.description}</p>}
      {(op.parameters?.length ?? 0) > 0 && (
        <section>
          <h3>Parameters</h3>
          <ul className="properties">
            {op.parameters?.map((p, i) => (
              <Property key={i} doc={doc} name={p.name ?? "parameter"} schema={{ ...p.schema, description: p.description ?? p.schema?.description }} required={!!p.required} place={p.in} depth={0} />
            ))}
          </ul>
        </section>
      )}
      {body && (
        <section>
          <h3>Body</h3>
          <SchemaView doc={doc} schema={body} depth={0} />
        </section>
      )}
      <section>
        <h3>Answers</h3>
        {Object.entries(op.responses ?? {}).map(([status, found]) => {
          const r = resolve<NonNullable<Operation["responses"]>[string]>(doc, found);
          const media = Object.entries(r.content ?? {})[0];
          return (
            <details key={status} className="answer-doc" open={status < "300"}>
              <summary>
                <span className={"chip " + (status < "400" ? "good" : status < "500" ? "warn" : "bad")}>{status}</span>
                <span>{r.description}</span>
              </summary>
              {media?.[1].schema && (status < "400" ? <SchemaView doc={doc} schema={media[1].schema} depth={0} /> : <Codes doc={doc} schema={media[1].schema} examples={media[1].examples} />)}
            </details>
          );
        })}
      </section>
    </article>
  );
}

/** resolve follows a $ref inside the document. */
function resolve<T>(doc: OpenAPI, found: T): T {
  let at: unknown = found;
  for (let hops = 0; hops < 5; hops++) {
    const ref = (at as { $ref?: string } | null)?.$ref;
    if (!ref?.startsWith("#/")) break;
    at = ref
      .slice(2)
      .split("/")
      .reduce<unknown>((o, k) => (o as Record<string, unknown> | undefined)?.[k.replaceAll("~1", "/").replaceAll("~0", "~")], doc);
  }
  return (at ?? found) as T;
}

/** Codes are the errors of a status, which the schema names. */
function Codes({ doc, schema, examples }: { doc: OpenAPI; schema: Schema; examples?: Record<string, unknown> }) {
  const codes = new Set<string>();
  const walk = (s: Schema | undefined, name: string, depth: number) => {
    if (!s || depth > 8) return;
    const r = resolve(doc, s);
    if (name === "code") {
      if (typeof r.const === "string") codes.add(r.const);
      for (const v of r.enum ?? []) codes.add(String(v));
    }
    for (const [k, v] of Object.entries(r.properties ?? {})) walk(v, k, depth + 1);
    walk(r.items, name, depth + 1);
    for (const v of [...(r.oneOf ?? []), ...(r.anyOf ?? []), ...(r.allOf ?? [])]) walk(v, name, depth + 1);
  };
  walk(schema, "", 0);
  const said = (code: string) => {
    const value = (examples?.[code] as { value?: { errors?: { message?: string }[] } } | undefined)?.value;
    return value?.errors?.[0]?.message ?? "";
  };
  return (
    <ul className="lines">
      {[...codes].map((c) => (
        <li key={c}>
          <code>{c}</code>
          <span className="soft">{said(c)}</span>
        </li>
      ))}
    </ul>
  );
}

function words(s: Schema): string {
  const type = Array.isArray(s.type) ? s.type.join(" or ") : (s.type ?? (s.oneOf || s.anyOf ? "one of" : s.const !== undefined ? JSON.stringify(s.const) : "any"));
  const more = [
    s.format,
    s.minLength !== undefined && `from ${s.minLength} characters`,
    s.maxLength !== undefined && `up to ${s.maxLength} characters`,
    s.minimum !== undefined && `from ${s.minimum}`,
    s.maximum !== undefined && `to ${s.maximum}`,
    s.pattern && `like ${s.pattern}`,
    s.default !== undefined && `default ${JSON.stringify(s.default)}`,
  ].filter(Boolean);
  return [type, ...more].join(", ");
}

function SchemaView({ doc, schema, depth }: { doc: OpenAPI; schema: Schema; depth: number }) {
  const s = resolve(doc, schema);
  const forms = s.oneOf ?? s.anyOf;
  if (depth > 6) return <p className="faint">…</p>;
  if (forms) {
    return (
      <ul className="forms">
        {forms.map((f, i) => (
          <li key={i}>
            <SchemaView doc={doc} schema={f} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  if (s.type === "array" && s.items) {
    return (
      <>
        <p className="soft">a list of</p>
        <SchemaView doc={doc} schema={s.items} depth={depth + 1} />
      </>
    );
  }
  if (!s.properties) return <p className="mono soft">{words(s)}</p>;
  return (
    <ul className="properties">
      {Object.entries(s.properties).map(([name, p]) => (
        <Property key={name} doc={doc} name={name} schema={p} required={s.required?.includes(name) ?? false} place="" depth={depth} />
      ))}
    </ul>
  );
}

function Property({ doc, name, schema, required, place, depth }: { doc: OpenAPI; name: string; schema: Schema; required: boolean; place: string; depth: number }) {
  const s = resolve(doc, schema);
  const deep = s.properties ?? s.oneOf ?? s.anyOf ?? resolve(doc, s.items ?? {}).properties;
  return (
    <li>
      <div className="row property">
        <code>{name}</code>
        <span className="faint">{words(s)}</span>
        {place && <span className="chip">{place}</span>}
        {required && <span className="must">required</span>}
      </div>
      {(schema.description ?? s.description) && <p className="soft">{schema.description ?? s.description}</p>}
      {s.enum && <p className="mono soft">{s.enum.map((v) => JSON.stringify(v)).join(" | ")}</p>}
      {deep && depth < 5 && <SchemaView doc={doc} schema={s} depth={depth + 1} />}
    </li>
  );
}
