import { lazy, Suspense } from "react";
import { useCell } from "../cell";
import { desk, stepAt } from "../desk";
import { side } from "../layout";
import { Icon } from "../part/icon";
import { HeadForm } from "./head";
import { StepForm } from "./step";

const Code = lazy(() => import("./code"));

/** Panel is the right side: the form of what is selected, or the text. */
export function Panel() {
  const d = useCell(desk);
  const tab = useCell(side);
  const isFlow = d.sheet?.kind === "endpoint" || d.sheet?.kind === "node";
  const shown = isFlow ? tab : "text";
  const step = stepAt(d.sheet, d.selected);
  return (
    <aside className="panel" aria-label="Form and text">
      <div className="tabs panel-tabs" role="tablist" aria-label="Form or text">
        {isFlow && (
          <button className="tab" role="tab" id="tab-form" aria-selected={shown === "form"} aria-controls="pane-form" data-keys="Alt 1" data-tip="The form of what is selected" data-tip-side="below" onClick={() => side.set("form")}>
            <Icon name="edit" size={14} />
            Form
          </button>
        )}
        <button className="tab" role="tab" id="tab-text" aria-selected={shown === "text"} aria-controls="pane-text" data-keys="Alt 2" data-tip="The text of the flow" data-tip-side="below" onClick={() => side.set("text")}>
          <Icon name="code" size={14} />
          YAML
        </button>
        <span className="grow" />
        {!d.fresh && d.sheet && <span className="faint drawing">drawing…</span>}
      </div>
      {shown === "form" ? (
        <div className="pane scroll" role="tabpanel" id="pane-form" aria-labelledby="tab-form" tabIndex={-1}>
          {d.sheet && !d.sheet.readable && (
            <p className="notice bad">
              <Icon name="error" size={14} />
              <span>The text is no YAML at the moment. Repair it in the text, or undo.</span>
            </p>
          )}
          {d.sheet && step ? <StepForm key={d.file + step.place} step={step} sheet={d.sheet} /> : d.sheet?.header ? <HeadForm key={d.file} sheet={d.sheet} head={d.sheet.header} /> : <p className="empty">Nothing to edit here.</p>}
        </div>
      ) : (
        <div className="pane" role="tabpanel" id="pane-text" aria-labelledby="tab-text">
          <Suspense fallback={<p className="empty">Loading the editor…</p>}>
            <Code />
          </Suspense>
        </div>
      )}
    </aside>
  );
}
