import { useState } from "react";
import { gesture } from "../desk";
import { Icon } from "../part/icon";
import type { Field, Problem, Value } from "../wire";
import { Combo } from "./combo";

/** plainText shows a value as it is typed into a field. */
export function plainText(value: unknown): string {
  if (value === undefined || value === null) return value === null ? "null" : "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** written puts together what a step has behind a key, of which the server gives the parts that are no mappings or lists. */
export function written(values: Value[], key: string): unknown {
  const own = values.find((v) => v.key === key);
  if (own) return own.plain ?? null;
  const inside = new Map<string, boolean>();
  for (const v of values) {
    if (v.key.startsWith(key + "/")) inside.set(v.key.slice(key.length + 1).split("/", 1)[0] ?? "", true);
  }
  const names = [...inside.keys()];
  if (names.length === 0) return undefined;
  if (names.every((n, i) => n === String(i))) return names.map((n) => written(values, key + "/" + n));
  return Object.fromEntries(names.map((n) => [n.replaceAll("~1", "/").replaceAll("~0", "~"), written(values, key + "/" + n)]));
}

/** meant reads what was typed into a field as the value it stands for. */
export function meant(typed: string, base: string): unknown {
  const t = typed.trim();
  if (/^[$=]/.test(t)) return t;
  switch (base) {
    case "integer":
    case "number":
      return t !== "" && Number.isFinite(Number(t)) ? Number(t) : typed;
    case "boolean":
      return t === "true" ? true : t === "false" ? false : typed;
    case "string":
      return typed;
  }
  if (/^(-?\d+(\.\d+)?|true|false|null)$/.test(t) || /^[[{]/.test(t)) {
    try {
      return JSON.parse(t);
    } catch {
      return typed;
    }
  }
  return typed;
}

interface Props {
  place: string;
  name: string;
  field?: Field;
  value: unknown; // as data; undefined where nothing is written
  problems?: Problem[]; // of this field and what is in it
  below?: string; // the field, from the step
  off: boolean;
  removable?: boolean;
  select: string | null; // what stays selected
  depth?: number;
}

function Problems({ all }: { all: Problem[] }) {
  return all.map((p, i) => (
    <p key={i} className={p.warning ? "note" : "wrong"}>
      <Icon name={p.warning ? "warning" : "error"} size={13} />
      <span>
        {p.message}
        {p.hint && <span className="soft"> ({p.hint})</span>}
      </span>
    </p>
  ));
}

/** ValueField edits one value: a line with offers, or the fields of an object, or the items of a list. */
export function ValueField(props: Props) {
  const { place, name, field, value, problems = [], below = "", off, select, depth = 0 } = props;
  const [note, setNote] = useState(false);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const isList = Array.isArray(value);
  const own = problems.filter((p) => p.field === below || (!isObject && !isList && p.field.startsWith(below + "/")));
  const wrong = own.some((p) => !p.warning);
  const unset = () => void gesture([{ do: "unset", at: place }], select);
  const set = (v: unknown) => void gesture([{ do: "set", at: place, value: v }], select);
  const nested = isObject || isList;
  const fixed = field?.enum?.length ? field.enum : field?.base === "boolean" ? ["true", "false"] : undefined;
  return (
    <div className={"field value" + (nested ? " nested" : "")} style={depth ? { marginLeft: 10 } : undefined}>
      <div className="value-head">
        <span className="value-name">
          {name}
          {field?.required && value === undefined && <span className="must">required</span>}
        </span>
        <span className="kind cut" data-tip={field?.hint || undefined}>
          {field?.type ?? ""}
        </span>
        {field?.secret && (
          <span className="faint" data-tip="A secret: never shown in traces, logs and answers">
            <Icon name="mask" size={13} />
          </span>
        )}
        <span className="grow" />
        {field?.doc && (
          <button className="button plain small square" aria-label={"About " + name} aria-expanded={note} data-tip={field.doc} onClick={() => setNote(!note)}>
            <Icon name="book" size={13} />
          </button>
        )}
        {value !== undefined && (!field?.required || props.removable) && (
          <button className="button plain small square" aria-label={"Remove " + name} data-tip="Remove" disabled={off} onClick={unset}>
            <Icon name="close" size={13} />
          </button>
        )}
      </div>
      {note && <p className="note">{field?.doc}</p>}
      {isObject ? (
        <Properties {...props} value={value as Record<string, unknown>} />
      ) : isList ? (
        <Items {...props} value={value} />
      ) : (
        <Combo
          label={name}
          place={place}
          words={undefined}
          text={plainText(value)}
          wrong={wrong}
          off={off}
          many={typeof value === "string" && value.includes("\n")}
          placeholder={field?.default != null ? field.default : fixed ? fixed.join(" | ") : field?.examples?.[0] !== undefined ? "as in " + plainText(field.examples[0]) : ""}
          commit={(t) => {
            if (t === "" && value === undefined) return;
            if (t === "" && (!field?.required || field.base !== "string")) unset();
            else set(meant(t, field?.base ?? "any"));
          }}
        />
      )}
      <Problems all={own} />
      {(field?.base === "object" || field?.base === "array") && value === undefined && !off && (
        <button className="button plain small add" onClick={() => set(field.base === "array" ? [""] : {})}>
          <Icon name="plus" size={13} />
          Write it out
        </button>
      )}
    </div>
  );
}

function Properties({ place, field, value, problems, below, off, select, depth = 0 }: Props & { value: Record<string, unknown> }) {
  const [adding, setAdding] = useState(false);
  const known = field?.fields ?? [];
  const written = Object.keys(value);
  const rest = known.filter((f) => !written.includes(f.name) && !f.required).map((f) => f.name);
  const rows = [...known.filter((f) => f.required && !written.includes(f.name)).map((f) => f.name), ...written];
  const escape = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");
  return (
    <div className="nest">
      {rows.map((key) => (
        <ValueField
          key={key}
          place={place + "/" + escape(key)}
          name={key}
          field={known.find((f) => f.name === key.replace(/\?$/, ""))}
          value={value[key]}
          problems={problems}
          below={below + "/" + escape(key)}
          off={off}
          removable
          select={select}
          depth={depth + 1}
        />
      ))}
      {adding ? (
        <Combo
          label="Name of the new property"
          words={rest}
          text=""
          placeholder="name"
          commit={(name) => {
            setAdding(false);
            if (name) void gesture([{ do: "set", at: place + "/" + escape(name), value: "" }], select);
          }}
        />
      ) : (
        <button className="button plain small add" disabled={off} onClick={() => setAdding(true)}>
          <Icon name="plus" size={13} />
          Property
        </button>
      )}
    </div>
  );
}

function Items({ place, name, field, value, problems, below, off, select, depth = 0 }: Props & { value: unknown[] }) {
  return (
    <div className="nest">
      {value.map((item, i) => (
        <ValueField key={i} place={place + "/" + i} name={`${name} ${i + 1}`} field={field?.items ?? undefined} value={item} problems={problems} below={below + "/" + i} off={off} removable select={select} depth={depth + 1} />
      ))}
      <button className="button plain small add" disabled={off} onClick={() => void gesture([{ do: "set", at: place + "/" + value.length, value: "" }], select)}>
        <Icon name="plus" size={13} />
        Item
      </button>
    </div>
  );
}
