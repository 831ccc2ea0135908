import { useState, type ReactNode } from "react";
import { useCell, usePart } from "../cell";
import { desk, gesture } from "../desk";
import { Icon } from "../part/icon";
import type { Field, Header, Part, Sheet } from "../wire";
import { canEdit, workspace } from "../workspace";
import { Combo } from "./combo";
import { Mistake } from "./step";
import { meant } from "./value";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** raw is what is written behind a key of the head, as it stands in the text. */
function written(text: string, h: Header, key: string): string {
  const s = h.places[key];
  if (!s) return "";
  const lines = text.split("\n").slice(s.line - 1, s.toLine);
  if (lines.length === 0) return "";
  if (s.line === s.toLine) return [...(lines[0] ?? "")].slice(s.column - 1, s.toColumn - 1).join("");
  return [[...(lines[0] ?? "")].slice(s.column - 1).join(""), ...lines.slice(1, -1), [...(lines.at(-1) ?? "")].slice(0, s.toColumn - 1).join("")].join("\n");
}

function Line({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <div className="field value">
      <div className="value-head">
        <span className="value-name">{name}</span>
        {note && <span className="kind cut">{note}</span>}
      </div>
      {children}
    </div>
  );
}

/** HeadForm edits what stands above the steps. */
export function HeadForm({ sheet, head }: { sheet: Sheet; head: Header }) {
  const app = useCell(workspace).app;
  const busy = usePart(desk, (d) => d.busy);
  const off = !canEdit(app);
  const set = (at: string, value: unknown) => void gesture([value === "" ? { do: "unset", at } : { do: "set", at, value }], "");
  const trigger = head.triggers[0];
  const problems = sheet.problems.filter((p) => p.place === "" && p.file === sheet.file);
  const isNode = head.node !== "";
  return (
    <div className="form" aria-busy={busy}>
      <header className="form-head">
        <span className="tile" style={{ background: "var(--accent)" }}>
          <Icon name={isNode ? "flow" : "trigger"} />
        </span>
        <div className="grow">
          <h2 className="cut">{isNode ? head.node : trigger ? `${trigger.method} ${trigger.path}` : sheet.file}</h2>
          <p className="faint mono cut">{sheet.file}</p>
        </div>
      </header>
      {problems.map((p, i) => (
        <Mistake key={i} problem={p} />
      ))}
      <Line name="about" note="for people, one sentence">
        <Combo label="about" text={head.about} many off={off} commit={(t) => set("about", t)} />
      </Line>
      {!isNode && (
        <>
          <Line name="endpoint" note="method and path; {id} is $path.id">
            <div className="row tight">
              <select className="input method-pick" aria-label="Method" disabled={off} value={trigger?.method ?? "GET"} onChange={(e) => set("endpoint", `${e.target.value} ${trigger?.path ?? "/"}`)}>
                {methods.map((m) => (
                  <option key={m}>{m}</option>
                ))}
              </select>
              <Combo label="Path" text={trigger?.path ?? ""} placeholder="/orders/{id}" off={off} commit={(t) => t && set("endpoint", `${trigger?.method ?? "GET"} ${t}`)} />
            </div>
          </Line>
          <Line name="session" note="whether callers are signed in">
            <div className="segments" role="radiogroup" aria-label="session">
              {["required", "optional", "none"].map((m) => (
                <button key={m} role="radio" aria-checked={head.session === m} disabled={off} onClick={() => set("session", m)}>
                  {m}
                </button>
              ))}
            </div>
          </Line>
          {head.session === "required" && (
            <Line name="groups" note="a session must have one of them">
              <Combo label="groups" text={head.groups.join(", ")} words={app?.groups} placeholder="any signed-in user" off={off} commit={(t) => set("groups", t ? t.split(/[\s,]+/).filter(Boolean) : "")} />
            </Line>
          )}
          <Line name="apiKey" note="of a program that calls">
            <select className="input" aria-label="apiKey" disabled={off} value={head.apiKey || "none"} onChange={(e) => set("apiKey", e.target.value === "none" ? "" : e.target.value)}>
              <option>none</option>
              <option>optional</option>
              <option>required</option>
            </select>
          </Line>
          <Limit sheet={sheet} head={head} off={off} />
          <Line name="timeout" note="at most 5m">
            <Combo label="timeout" text={written(sheet.text, head, "timeout")} placeholder={head.timeout || "30s"} off={off} commit={(t) => set("timeout", t)} />
          </Line>
        </>
      )}
      <Inputs head={head} off={off} isNode={isNode} />
      {!isNode && (
        <details className="more">
          <summary>More of the endpoint</summary>
          <Line name="tags" note="in the API reference">
            <Combo label="tags" text={head.tags.join(", ")} off={off} commit={(t) => set("tags", t ? t.split(/\s*,\s*/).filter(Boolean) : "")} />
          </Line>
          <Line name="answer">
            <select className="input" aria-label="answer" disabled={off} value={head.answer || "json"} onChange={(e) => set("answer", e.target.value === "json" ? "" : e.target.value)}>
              <option>json</option>
              <option>events</option>
            </select>
          </Line>
          <label className="row check">
            <input type="checkbox" disabled={off} checked={head.enabled} onChange={(e) => set("enabled", e.target.checked ? "" : false)} />
            Served (enabled)
          </label>
        </details>
      )}
      {head.fails.length > 0 && (
        <details className="more">
          <summary>Can fail in {head.fails.length} ways</summary>
          <ul className="rows-list">
            {head.fails.map((f) => (
              <li key={f.code} className="row">
                <span className={"chip " + (f.status >= 500 ? "bad" : "warn")}>{f.status}</span>
                <code className="cut">{f.code}</code>
                <span className="soft cut grow">{f.message}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Limit edits how often the same caller may call: its rate, and what makes callers the same. */
function Limit({ sheet, head, off }: { sheet: Sheet; head: Header; off: boolean }) {
  const text = written(sheet.text, head, "limit");
  const rate = /rate:\s*([^,}\s]+)/.exec(text)?.[1] ?? "";
  const per = /per:\s*\[([^\]]*)\]/.exec(text)?.[1] ?? "";
  return (
    <Line name="limit" note="calls of the same caller">
      <div className="row tight">
        <Combo label="rate" text={rate} placeholder="no limit; 20/min" off={off} commit={(t) => void gesture(t ? [{ do: "set", at: "limit", value: { rate: t, per: per ? per.split(/\s*,\s*/) : ["ip"] } }] : [{ do: "unset", at: "limit" }], "")} />
        <Combo label="per" text={per} placeholder="ip" off={off || !rate} commit={(t) => void gesture([{ do: "set", at: "limit/per", value: t.split(/\s*,\s*/).filter(Boolean) }], "")} />
      </div>
    </Line>
  );
}

const partWords: Record<string, string> = { path: "in braces in the path", query: "behind the question mark", headers: "of the request", body: "the JSON of the request", params: "of the node" };

function Inputs({ head, off, isNode }: { head: Header; off: boolean; isNode: boolean }) {
  const app = useCell(workspace).app;
  const parts = isNode ? ["params"] : ["path", "query", "headers", "body"];
  const types = [...(app?.typeWords ?? ["string", "integer", "number", "boolean", "array", "object", "any"]), ...(app?.types.map((t) => t.name) ?? [])];
  return (
    <section aria-label="Input">
      <h3 className="legend-line">Input</h3>
      {parts.map((p) => (
        <PartForm key={p} at={isNode ? "params" : "input/" + p} name={p} part={head.input[p]} off={off} types={types} />
      ))}
    </section>
  );
}

function PartForm({ at, name, part, off, types }: { at: string; name: string; part: Part | undefined; off: boolean; types: string[] }) {
  const [adding, setAdding] = useState(false);
  const add = (typed: string) => {
    setAdding(false);
    const key = typed.trim();
    if (key) void gesture([{ do: "set", at: `${at}/${key}`, value: { type: "string" } }], "");
  };
  return (
    <div className="part">
      <div className="row">
        <b className="mono">{name}</b>
        <span className="faint grow cut">{partWords[name]}</span>
        <button className="button plain small" aria-label={"Add a field to " + name} disabled={off} onClick={() => setAdding(true)}>
          <Icon name="plus" size={13} />
          Field
        </button>
      </div>
      {part?.named && <p className="note">It is a {part.named}.</p>}
      {part?.fields.map((f) => (
        <InputField key={f.name} at={`${at}/${f.name}${f.required || f.default !== null ? "" : "?"}`} part={at} field={f} off={off || !!part.named} types={types} />
      ))}
      {adding && <Combo label={"Name of the new field of " + name} text="" placeholder="name, or name? where it may be left out" commit={add} />}
    </div>
  );
}

const bounds: Record<string, [string, string]> = { string: ["minLength", "maxLength"], integer: ["minimum", "maximum"], number: ["minimum", "maximum"], array: ["minItems", "maxItems"] };

function InputField({ at, part, field, off, types }: { at: string; part: string; field: Field; off: boolean; types: string[] }) {
  const app = useCell(workspace).app;
  const [more, setMore] = useState(false);
  const set = (key: string, value: unknown) => void gesture([value === "" ? { do: "unset", at: `${at}/${key}` } : { do: "set", at: `${at}/${key}`, value }], "");
  const [low, high] = bounds[field.base] ?? [];
  return (
    <div className="input-field">
      <div className="row tight">
        <Combo label={"Name of " + field.name} text={field.name} off={off} commit={(t) => t && void gesture([{ do: "name", at, to: t }], "")} />
        <select className="input type-pick" aria-label={"Type of " + field.name} disabled={off} value={field.named || field.base} onChange={(e) => void gesture([{ do: "set", at: at + "/type", value: e.target.value }], "")}>
          {!types.includes(field.named || field.base) && <option>{field.named || field.base}</option>}
          {types.map((t) => (
            <option key={t}>{t}</option>
          ))}
        </select>
        <button
          className="button plain small"
          aria-pressed={field.required}
          aria-label={`${field.name} ${field.required ? "must be sent" : "may be left out"}`}
          data-tip={field.required ? "Required; press to make it optional" : "Optional; press to make it required"}
          disabled={off}
          onClick={() => void gesture([{ do: "name", at, to: field.required ? field.name + "?" : field.name }], "")}
        >
          {field.required ? "must" : "may"}
        </button>
        <button className="button plain small square" aria-label={"More of " + field.name} aria-expanded={more} onClick={() => setMore(!more)}>
          <Icon name={more ? "down" : "right"} size={13} />
        </button>
        <button className="button plain small square" aria-label={"Remove " + field.name} data-tip={"Remove " + field.name} disabled={off} onClick={() => void gesture([{ do: "unset", at }], "")}>
          <Icon name="close" size={13} />
        </button>
      </div>
      {more && (
        <div className="nest">
          <p className="note">{field.type}</p>
          {field.base === "string" && (
            <Line name="format">
              <Combo label={"format of " + field.name} words={app?.formats} text={field.format} off={off} commit={(t) => set("format", t)} />
            </Line>
          )}
          {low && high && (
            <Line name="from, to" note={`${low}, ${high}`}>
              <div className="row tight">
                <Combo label={low} text={field.min?.toString() ?? ""} placeholder="any" off={off} commit={(t) => set(low, t === "" ? "" : meant(t, "number"))} />
                <Combo label={high} text={field.max?.toString() ?? ""} placeholder="any" off={off} commit={(t) => set(high, t === "" ? "" : meant(t, "number"))} />
              </div>
            </Line>
          )}
          {(field.base === "string" || field.base === "integer") && (
            <Line name="enum" note="the only values it can have">
              <Combo label={"enum of " + field.name} text={field.enum.join(", ")} off={off} commit={(t) => set("enum", t === "" ? "" : t.split(/\s*,\s*/).map((v) => meant(v, field.base)))} />
            </Line>
          )}
          <Line name="default">
            <Combo label={"default of " + field.name} text={field.default ?? ""} placeholder="none" off={off} commit={(t) => set("default", t === "" ? "" : meant(t, field.base))} />
          </Line>
          {part !== "input/path" && field.fields.length > 0 && <p className="note">Its own fields are edited in the text.</p>}
        </div>
      )}
    </div>
  );
}
