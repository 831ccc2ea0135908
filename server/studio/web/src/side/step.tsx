import { iconOf } from "../canvas/box";
import { hue, pick } from "../canvas/palette";
import { useCell, usePart } from "../cell";
import { desk, gesture, select } from "../desk";
import { address } from "../route";
import { Icon } from "../part/icon";
import { menuBelow } from "../part/menu";
import { boxMenu } from "../canvas/boxmenu";
import { benches } from "../run";
import type { Field, Problem, Sheet, Step } from "../wire";
import { canEdit, nodeInfo, workspace } from "../workspace";
import { Combo } from "./combo";
import { Fake } from "./fake";
import { Routes } from "./routes";
import { meant, plainText, ValueField, written } from "./value";

/** What the keys of a step take, where its node does not say so. */
const known: Record<string, Partial<Field>> = {
  when: { type: "condition", doc: "The step is skipped where this does not hold." },
  timeout: { type: "duration", doc: "How long the node may take, as in 500ms or 5s." },
  if: { type: "condition", doc: "A reference, which asks whether something is there or true, or an expression." },
  switch: { type: "reference", doc: "The value that names the case." },
  each: { type: "list", doc: "The list whose items the steps run for." },
  as: { type: "name", doc: "What an item is called inside.", default: "item" },
  index: { type: "name", doc: "What the number of an item is called inside." },
  atOnce: { type: "integer", base: "integer", doc: "How many items run together.", default: "1" },
  collect: { type: "any", base: "any", doc: "What each item gives to the list that the id names." },
  retry: { type: "object", base: "object", doc: "How often and how soon the steps run again where they fail." },
  respond: { type: "status", base: "integer", doc: "A status from 200 to 399." },
  body: { type: "any", base: "any", doc: "What the answer holds." },
  headers: { type: "object", base: "object", doc: "Headers of the answer." },
  cookies: { type: "object", base: "object", doc: "Cookies of the answer." },
  redirect: { type: "string", base: "string", doc: "Where the caller is sent." },
  file: { type: "object", base: "object", doc: "A file in place of a body: content, type and name." },
  fail: { type: "code", base: "string", doc: "A declared error." },
  details: { type: "any", base: "any", doc: "What the caller is told beside the code." },
  send: { type: "event", base: "string", doc: "Name of the event." },
  data: { type: "any", base: "any", doc: "What the event holds." },
  eventId: { type: "any", base: "any", doc: "By which a caller who comes back says how far it was." },
  return: { type: "any", base: "any", doc: "What the node gives." },
  let: { type: "values", base: "object", doc: "Names for values, for the steps below." },
};

const blocks = new Set(["on", "then", "else", "do", "cases", "catch", "finally", "undo", "parallel", "try"]);

function keyField(key: string): Field {
  const k = known[key] ?? {};
  return {
    name: key, doc: "", type: "", base: "string", named: "", format: "", enum: [], min: null, max: null, pattern: "", required: false, default: null,
    secret: false, proof: false, hint: "", fields: [], open: true, items: null, deprecated: false, examples: [], ...k,
  };
}

/** StepForm edits one step: its id, its values, and where its outcomes lead. */
export function StepForm({ step, sheet }: { step: Step; sheet: Sheet }) {
  const app = useCell(workspace).app;
  const off = !canEdit(app);
  const busy = usePart(desk, (d) => d.busy);
  const faked = usePart(benches, (all) => all[sheet.file]?.fakes[step.place]);
  const node = step.verb === "node" ? nodeInfo(app, step.node) : undefined;
  const problems = sheet.problems.filter((p) => p.place === step.place && p.file === sheet.file);
  const keys = app?.verbs.find((v) => v.verb === step.verb)?.keys ?? [];
  const plain = (key: string): unknown => written(step.values, key);
  const title = step.verb === "node" ? step.node : step.verb;
  const own = keys.filter((k) => !blocks.has(k) && k !== "with" && k !== "id" && k !== "node");
  const set = own.filter((k) => k === step.verb || plain(k) !== undefined || (k === "body" && step.verb === "respond"));
  const unset = own.filter((k) => !set.includes(k));
  return (
    <div className="form" aria-busy={busy}>
      <header className="form-head">
        <span className="tile" style={{ background: `var(--hue${step.verb === "node" ? hue(step.node.split(".")[0] ?? "") : 8})` }}>
          <Icon name={iconOf({ kind: step.verb === "node" ? "node" : "", verb: step.verb, family: step.verb === "node" ? (step.node.split(".")[0] ?? "") : "" })} />
        </span>
        <div className="grow">
          <h2 className="cut">{title}</h2>
          <p className="faint mono cut">
            {step.place} · line {step.span.line}
          </p>
        </div>
        {node?.file && (
          <a className="button plain small" href={address("flow", node.file)}>
            Open
          </a>
        )}
        <button className="button plain small square" aria-label="More to do with this step" aria-haspopup="menu" onClick={(e) => menuBelow(e.currentTarget, "Step", boxMenu(step.place))}>
          <Icon name="more" />
        </button>
      </header>
      <About text={node?.doc ?? app?.verbs.find((v) => v.verb === step.verb)?.doc ?? ""} />
      {problems.filter((p) => p.field === "" || (!p.field.startsWith("with/") && !own.some((k) => p.field === k || p.field.startsWith(k + "/")))).map((p, i) => (
        <Mistake key={i} problem={p} />
      ))}
      {keys.includes("id") && (
        <div className="field value">
          <div className="value-head">
            <span className="value-name">id</span>
            <span className="kind">names the result, as in ${step.id || "user"}</span>
          </div>
          <Combo label="id" text={step.id} off={off} placeholder="none" commit={(t) => void gesture([t ? (step.id ? { do: "rename", at: step.place, to: t } : { do: "set", at: step.place + "/id", value: t }) : { do: "unset", at: step.place + "/id" }], step.place)} />
        </div>
      )}
      {step.verb === "node" && <Parameters step={step} problems={problems} off={off} />}
      {set.map((k) =>
        k === "if" || (k === "fail" && app) ? (
          <div key={k} className="field value">
            <div className="value-head">
              <span className="value-name">{k}</span>
              <span className="kind">{known[k]?.type}</span>
            </div>
            <Combo label={k} place={step.place + "/" + k} words={k === "fail" ? app?.errors.map((e) => e.code) : undefined} text={plainText(plain(k))} off={off} commit={(t) => t && void gesture([{ do: "set", at: step.place + "/" + k, value: meant(t, "string") }], step.place)} />
            {k === "fail" && <p className="note">{app?.errors.find((e) => e.code === plain(k))?.message}</p>}
            {problems.filter((p) => p.field === k).map((p, i) => <Mistake key={i} problem={p} />)}
          </div>
        ) : (
          <ValueField key={k} place={step.place + "/" + k} name={k} field={keyField(k)} value={plain(k)} problems={problems} below={k} off={off} removable={k !== step.verb} select={step.place} />
        ),
      )}
      {unset.length > 0 && (
        <div className="chips" role="group" aria-label="More keys">
          {unset.map((k) => (
            <button
              key={k}
              className="chip add"
              disabled={off}
              data-tip={known[k]?.doc}
              onClick={() => void gesture([{ do: "set", at: step.place + "/" + k, value: starts[k] ?? "" }], step.place)}
            >
              <Icon name="plus" size={11} />
              {k}
            </button>
          ))}
        </div>
      )}
      {step.verb === "node" && <Routes step={step} off={off} />}
      <Branches step={step} off={off} />
      {faked && <Fake step={step} file={sheet.file} />}
      {step.outputs.length > 0 && step.id && <Outputs step={step} />}
      {node && (node.reads.length > 0 || node.writes.length > 0 || node.calls.length > 0) && (
        <p className="note touches">
          {node.reads.length > 0 && <span>reads {node.reads.join(", ")}</span>}
          {node.writes.length > 0 && <span>writes {node.writes.join(", ")}</span>}
          {node.calls.length > 0 && <span>calls {node.calls.join(", ")}</span>}
        </p>
      )}
    </div>
  );
}

/** What a key begins with when it is added. */
const starts: Record<string, unknown> = { retry: { times: 3 }, headers: { "X-Note": "" }, atOnce: 2, timeout: "5s", when: "true", body: {}, collect: {}, details: {}, file: { content: "", type: "text/plain" }, data: {} };

export function About({ text }: { text: string }) {
  return text ? <p className="soft about">{text}</p> : null;
}

export function Mistake({ problem }: { problem: Problem }) {
  return (
    <p className={"notice " + (problem.warning ? "warn" : "bad")}>
      <Icon name={problem.warning ? "warning" : "error"} size={14} />
      <span>
        {problem.message}
        {problem.hint && <span> ({problem.hint})</span>}
      </span>
    </p>
  );
}

function Parameters({ step, problems, off }: { step: Step; problems: Problem[]; off: boolean }) {
  const all = written(step.values, "with");
  const given = new Map(Object.entries(typeof all === "object" && all !== null ? all : {}));
  const shown = step.inputs.filter((f) => f.required || given.has(f.name) || (given.size === 0 && step.inputs.length <= 3));
  const rest = step.inputs.filter((f) => !shown.includes(f));
  const unknown = [...given.keys()].filter((k) => !step.inputs.some((f) => f.name === k));
  if (step.inputs.length === 0 && unknown.length === 0) return null;
  return (
    <section aria-label="Parameters">
      <h3 className="legend-line">Parameters</h3>
      {shown.map((f) => (
        <ValueField key={f.name} place={step.place + "/with/" + f.name} name={f.name} field={f} value={given.get(f.name)} problems={problems} below={"with/" + f.name} off={off} select={step.place} />
      ))}
      {unknown.map((k) => (
        <ValueField key={k} place={step.place + "/with/" + k} name={k} value={given.get(k)} problems={problems} below={"with/" + k} off={off} removable select={step.place} />
      ))}
      {problems.filter((p) => p.field === "with").map((p, i) => (
        <Mistake key={i} problem={p} />
      ))}
      {rest.length > 0 && (
        <details className="more">
          <summary>
            {rest.length} more {rest.length === 1 ? "parameter" : "parameters"}
          </summary>
          {rest.map((f) => (
            <ValueField key={f.name} place={step.place + "/with/" + f.name} name={f.name} field={f} value={undefined} problems={problems} below={"with/" + f.name} off={off} select={step.place} />
          ))}
        </details>
      )}
    </section>
  );
}

const roleWords: Record<string, string> = { then: "where it holds", else: "otherwise", do: "for each item", try: "tried", finally: "in any case", undo: "takes it back", lane: "lane", case: "case", catch: "catches" };

function Branches({ step, off }: { step: Step; off: boolean }) {
  const all = step.branches.filter((b) => b.role !== "on");
  const named = { switch: "cases", parallel: "parallel", try: "catch" }[step.verb];
  if (all.length === 0 && !named) return null;
  return (
    <section aria-label="Blocks">
      <h3 className="legend-line">Blocks</h3>
      <ul className="rows-list">
        {all.map((b) => (
          <li key={b.place} className="row">
            <span className="grow cut">
              <b>{b.name || b.role}</b> <span className="faint">{b.name ? roleWords[b.role] : roleWords[b.role]}</span>
            </span>
            {b.there ? (
              <button className="button plain small" onClick={() => select(b.place + "/0")}>
                {b.count} {b.count === 1 ? "step" : "steps"}
              </button>
            ) : (
              <button className="button small" disabled={off} onClick={(e) => pick(b.place + "/0", e.clientX + 8, e.clientY)}>
                <Icon name="plus" size={13} />
                Add
              </button>
            )}
          </li>
        ))}
      </ul>
      {named && (
        <Combo
          label={{ cases: "New case", parallel: "New lane", catch: "New code to catch" }[named] ?? ""}
          text=""
          placeholder={{ cases: "new case…", parallel: "new lane…", catch: "new code to catch, or any…" }[named]}
          off={off}
          commit={(name) => name && void gesture([{ do: "insert", at: `${step.place}/${named}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}/0`, verb: "let" }])}
        />
      )}
    </section>
  );
}

function Outputs({ step }: { step: Step }) {
  return (
    <details className="more">
      <summary>
        Gives <code>${step.id}</code>
      </summary>
      <dl className="gives">
        {step.outputs.map((f) => (
          <div key={f.name}>
            <dt>
              <code>
                ${step.id}.{f.name}
              </code>
              <span className="kind">{f.type}</span>
            </dt>
            <dd className="soft">{f.doc}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
