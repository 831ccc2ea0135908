import { useEffect, useState } from "react";
import { Canvas } from "./canvas/canvas";
import { pick } from "./canvas/palette";
import { useCell } from "./cell";
import { begin, desk, dirty, open, redo, revert, save, select, undo } from "./desk";
import { Drawer } from "./drawer/drawer";
import { template } from "./files";
import { drawer, drawerTall, drawerTab, panel, panelWide } from "./layout";
import { Grip } from "./part/grip";
import { Icon } from "./part/icon";
import { useRoute } from "./route";
import { running, start } from "./run";
import { Panel } from "./side/panel";
import { canEdit, entry, workspace } from "./workspace";

/** FlowView is one flow: the canvas, the form or text beside it, the drawer below. */
export function FlowView({ file }: { file: string }) {
  const d = useCell(desk);
  const at = useRoute().query.get("at");
  const wide = useCell(panelWide);
  const tall = useCell(drawerTall);
  const side = useCell(panel);
  const below = useCell(drawer);
  const [pane, setPane] = useState<"canvas" | "side">("canvas"); // on a narrow screen
  useEffect(() => void open(file), [file]);
  const loaded = d.file === file && d.sheet !== null;
  useEffect(() => {
    if (at !== null && loaded) select(at);
  }, [at, loaded]);
  if (d.file === file && d.wrong && !d.sheet) return <Missing file={file} gone={d.gone} wrong={d.wrong} />;
  const drawing = d.sheet?.drawing;
  return (
    <div className="flow-view">
      <Bar file={file} pane={pane} setPane={setPane} />
      {d.behind && !d.conflict && (
        <div className="notice warn behind" role="alert">
          <Icon name="warning" size={14} />
          <span className="grow">The file has changed on the disk since you began.</span>
          <button className="button small" onClick={() => void save()}>
            Compare
          </button>
          <button className="button small" onClick={() => void revert()}>
            Take the disk’s
          </button>
        </div>
      )}
      <div className={"flow-middle show-" + pane}>
        <div className="canvas-side">
          {d.busy && <div className="bar" />}
          <div className="canvas-room">
            {!loaded ? <Loading /> : drawing ? drawing.boxes.length <= 1 ? <Blank sheetless={false} /> : d.sheet && <Canvas key={d.file} sheet={d.sheet} drawing={drawing} /> : <Blank sheetless kind={d.sheet?.kind} />}
          </div>
          {below && <Grip cell={drawerTall} least={120} most={640} label="Height of the drawer" turned level />}
          <div className="drawer-room" style={{ height: below ? tall : undefined }}>
            <Drawer />
          </div>
        </div>
        {side && (
          <>
            <Grip cell={panelWide} least={280} most={900} label="Width of the form" turned />
            <div className="panel-room" style={{ width: wide }}>
              {loaded && <Panel />}
            </div>
          </>
        )}
      </div>
    </div>
  );
}

function Loading() {
  return (
    <div className="loading" role="status" aria-label="Loading the flow">
      <i />
      <i />
      <i />
    </div>
  );
}

function Blank({ sheetless, kind }: { sheetless: boolean; kind?: string }) {
  const app = useCell(workspace).app;
  if (sheetless) {
    const what: Record<string, string> = { errors: "This file declares the errors that flows can fail with.", types: "This file names types and collections.", test: "These are tests of a flow." };
    return (
      <div className="empty">
        <Icon name="flow" size={24} />
        <p>{what[kind ?? ""] ?? "There is nothing to draw yet. The text says what is missing."}</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <Icon name="flow" size={24} />
      <p>This flow has no steps.</p>
      <button className="button strong" disabled={!canEdit(app)} onClick={(e) => pick("steps/0", e.clientX, e.clientY + 20)}>
        <Icon name="plus" size={14} />
        Add the first step
      </button>
    </div>
  );
}

function Missing({ file, gone, wrong }: { file: string; gone: boolean; wrong: string }) {
  const app = useCell(workspace).app;
  return (
    <div className="empty">
      <Icon name="warning" size={24} />
      <h1>{gone ? "There is no such flow" : "The flow could not be read"}</h1>
      <p>{gone ? `${file} is not there.` : wrong}</p>
      {gone && file.endsWith(".yaml") && canEdit(app) && (
        <button className="button strong" onClick={() => void begin(file, template("GET", "/" + file.replace(/\.yaml$/, ""), "required", "Say what this endpoint is for."))}>
          Make {file}
        </button>
      )}
    </div>
  );
}

function Bar({ file, pane, setPane }: { file: string; pane: "canvas" | "side"; setPane: (p: "canvas" | "side") => void }) {
  const d = useCell(desk);
  const app = useCell(workspace).app;
  const busy = useCell(running);
  const side = useCell(panel);
  const info = entry(app, file);
  const trigger = info?.triggers[0];
  const changed = d.file === file && dirty(d);
  const edits = canEdit(app);
  const problems = d.sheet?.problems.filter((p) => !p.warning && p.file === file).length ?? 0;
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  return (
    <div className="flow-bar">
      <h1 className="flow-title cut">
        {trigger && <span className={"method " + trigger.method}>{trigger.method}</span>}
        <span className="cut">{trigger?.path ?? info?.name ?? file}</span>
      </h1>
      <span className="faint mono cut file-name" data-tip={info?.about} data-tip-side="below">
        {folder}
        {file.slice(folder.length)}
        {changed && <span className="unsaved" role="img" aria-label="not saved" />}
      </span>
      <span className="grow" />
      {problems > 0 && (
        <button
          className="chip bad add"
          onClick={() => {
            drawer.set(true);
            drawerTab.set("problems");
          }}
        >
          <Icon name="error" size={12} />
          {problems} {problems === 1 ? "problem" : "problems"}
        </button>
      )}
      <div className="row tight narrow-only segments" role="radiogroup" aria-label="Canvas or form">
        <button role="radio" aria-checked={pane === "canvas"} onClick={() => setPane("canvas")}>
          Canvas
        </button>
        <button role="radio" aria-checked={pane === "side"} onClick={() => (setPane("side"), panel.set(true))}>
          Form
        </button>
      </div>
      <div className="row tight" role="group" aria-label="History">
        <button className="button plain square" aria-label="Undo" data-tip="Undo" data-keys="Ctrl Z" data-tip-side="below" disabled={d.past.length === 0 || !edits} onClick={undo}>
          <Icon name="undo" />
        </button>
        <button className="button plain square" aria-label="Redo" data-tip="Redo" data-keys="Ctrl ⇧Z" data-tip-side="below" disabled={d.future.length === 0 || !edits} onClick={redo}>
          <Icon name="redo" />
        </button>
      </div>
      {d.sheet?.header && (
        <button
          className="button"
          disabled={busy || app?.readOnly}
          data-tip="Run the text as it is"
          data-keys="Ctrl ⏎"
          data-tip-side="below"
          onClick={() => {
            drawer.set(true);
            drawerTab.set("run");
            void start();
          }}
        >
          <Icon name="play" size={14} />
          Run
        </button>
      )}
      <button className="button strong" disabled={!changed || d.busy || !edits} data-tip={edits ? "Write the file" : "Nothing can be changed here"} data-keys="Ctrl S" data-tip-side="below" onClick={() => void save()}>
        Save
      </button>
      <button className="button plain square wide-only" aria-label="Show or hide the form" aria-pressed={side} data-tip="Form and text" data-tip-side="below" onClick={() => panel.change((p) => !p)}>
        <Icon name="panel" />
      </button>
    </div>
  );
}
