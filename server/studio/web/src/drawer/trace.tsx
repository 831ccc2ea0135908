import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useCell } from "../cell";
import { time } from "../canvas/marks";
import { desk, select } from "../desk";
import { lens, start, stepTo, forget, type Shown } from "../run";
import { Icon } from "../part/icon";
import { JSONView } from "../part/json";
import type { TraceStep } from "../wire";
import { canEdit, workspace } from "../workspace";
import { KeepDialog } from "./keep";
import { StatusChip } from "./live";

/** TracePane shows what a run did: its answer, its steps, and one of them in full. */
export function TracePane({ run }: { run: Shown }) {
  const { trace, at } = run;
  const file = useCell(desk).file;
  const app = useCell(workspace).app;
  const [keeping, keep] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const step = trace.steps[at];
  useEffect(() => {
    list.current?.querySelector("[aria-selected='true']")?.scrollIntoView({ block: "nearest" });
    if (step && lens.get() === "run" && (step.file === "" || step.file === file)) select(step.place);
  }, [at, run.trace]);
  const key = (e: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: trace.steps.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    stepTo(to);
  };
  return (
    <div className="trace">
      <div className="trace-bar">
        {trace.answer ? <StatusChip status={trace.answer.status} /> : <span className="chip accent">stopped</span>}
        {trace.answer?.code && <code className="cut">{trace.answer.code}</code>}
        {trace.stopped && <span className="soft cut">in front of what follows {trace.stopped}</span>}
        <span className="soft mono">{time(trace.took)}</span>
        {trace.file !== file && <span className="chip warn cut">of {trace.file}</span>}
        {!run.run && <span className="chip accent">live</span>}
        <span className="grow" />
        <div className="row tight" role="group" aria-label="Step through the run">
          <button className="button plain small square" aria-label="Step back" data-tip="Step back" data-keys="⇧F10" disabled={at <= 0} onClick={() => stepTo(at - 1)}>
            <Icon name="back" size={14} />
          </button>
          <span className="mono faint steps-count">
            {trace.steps.length === 0 ? 0 : at + 1}/{trace.steps.length}
          </span>
          <button className="button plain small square" aria-label="Step forward" data-tip="Step forward" data-keys="F10" disabled={at >= trace.steps.length - 1} onClick={() => stepTo(at + 1)}>
            <Icon name="forward" size={14} />
          </button>
        </div>
        {run.run && (
          <>
            <button className="button plain small" disabled={!step || app?.readOnly} data-tip="Steps in front do what they did; from here on nodes run" onClick={() => step && void start({ from: step.place })}>
              <Icon name="refresh" size={14} />
              Again from here
            </button>
            <button className="button small" disabled={!canEdit(app) || !trace.answer} data-tip="Write this run down as a test beside the flow" onClick={() => keep(true)}>
              <Icon name="beaker" size={14} />
              Keep as test
            </button>
          </>
        )}
        <button className="button plain small square" aria-label="Put the run away" data-tip="Put the run away" onClick={forget}>
          <Icon name="close" size={14} />
        </button>
      </div>
      <div className="trace-body">
        <ol ref={list} className="trace-steps scroll" role="listbox" aria-label="Steps of the run" tabIndex={0} aria-activedescendant={step ? "trace" + at : undefined} onKeyDown={key}>
          {trace.steps.map((s, i) => (
            <Row key={i} step={s} id={"trace" + i} on={i === at} late={i > at} press={() => stepTo(i)} />
          ))}
          {trace.cut && <li className="faint" role="presentation">There were more steps than are kept.</li>}
        </ol>
        <div className="trace-details scroll" tabIndex={0} role="region" aria-label="What the step took and gave, and the answer">
        <div className="trace-detail">
          {step && <Detail step={step} />}
          {trace.events.length > 0 && (
            <section>
              <h2 className="legend-line">Events</h2>
              {trace.events.map((e, i) => (
                <div key={i} className="event">
                  <b className="mono">{e.name}</b> {e.id && <span className="faint">id {e.id}</span>}
                  <JSONView value={e.data} />
                </div>
              ))}
            </section>
          )}
        </div>
        <div className="trace-detail">
          {trace.answer && (
            <>
              <h2 className="legend-line">Answer</h2>
              {trace.answer.cause && <p className="notice bad">{trace.answer.cause}</p>}
              {trace.answer.headers.length > 0 && (
                <dl className="answer-headers mono">
                  {trace.answer.headers.map(([k, v], i) => (
                    <div key={i}>
                      <dt className="faint">{k}</dt>
                      <dd>{v}</dd>
                    </div>
                  ))}
                </dl>
              )}
              <JSONView value={trace.answer.body} />
            </>
          )}
          {trace.request && (
            <details className="more">
              <summary>Request</summary>
              <p className="mono">
                <span className={"method " + trace.request.method}>{trace.request.method}</span> {trace.request.path}
              </p>
              <JSONView value={trace.request.input} />
            </details>
          )}
        </div>
        </div>
      </div>
      {keeping && <KeepDialog run={run} close={() => keep(false)} />}
    </div>
  );
}

function Row({ step: s, id, on, late, press }: { step: TraceStep; id: string; on: boolean; late: boolean; press: () => void }) {
  const tone = s.error ? "bad" : s.way === "" || s.way === "ok" ? "good" : "warn";
  return (
    <li id={id} role="option" aria-selected={on} className={"trace-step" + (late ? " late" : "")} style={{ paddingLeft: 8 + s.depth * 14 }} onClick={press}>
      <span className={"dot-mark " + tone} />
      <span className="cut">{s.step}</span>
      {s.nth > 0 && <span className="faint">×{s.nth + 1}</span>}
      {s.faked && <span className="chip accent">{s.faked}</span>}
      {s.way && s.way !== "ok" && <span className="chip">{s.way}</span>}
      <span className="grow" />
      <span className="mono faint">{s.took > 0 ? time(s.took) : ""}</span>
    </li>
  );
}

function Detail({ step: s }: { step: TraceStep }) {
  return (
    <>
      {s.error && (
        <p className="notice bad">
          <Icon name="error" size={14} />
          <span>{s.error}</span>
        </p>
      )}
      <h2 className="legend-line">Input</h2>
      {s.in === null || s.in === undefined ? <p className="faint">none</p> : <JSONView value={s.in} />}
      <h2 className="legend-line">{s.way && s.way !== "ok" && s.out === null ? `Left by ${s.way}` : "Output"}</h2>
      {s.out === null || s.out === undefined ? <p className="faint">none</p> : <JSONView value={s.out} />}
    </>
  );
}

