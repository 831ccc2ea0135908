import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { cell, useCell, usePart } from "./cell";
import { Palette } from "./canvas/palette";
import { desk, dirty } from "./desk";
import { drafts } from "./draft";
import { treeTab } from "./layout";
import { Icon } from "./part/icon";
import { score } from "./part/match";
import { openMenu } from "./part/menu";
import { Rows } from "./part/rows";
import { address, go } from "./route";
import { askNew, askRename, removeFlow } from "./files";
import type { App, FlowEntry } from "./wire";
import { canEdit, workspace } from "./workspace";

interface Row {
  key: string; // path of the folder or file
  name: string;
  depth: number;
  folder: boolean;
  open: boolean;
  flow?: FlowEntry;
}

/** Folders that are shut; all others are open. */
const shut = cell<ReadonlySet<string>>(new Set());

const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** rows is the tree as lines: folders first, then their files. */
export function rows(app: App, word: string, closed: ReadonlySet<string>): Row[] {
  const w = word.trim();
  if (w) {
    return app.flows
      .map((f) => [f, Math.max(score(f.file, w), score(f.name, w), score(f.about, w) - 30)] as const)
      .filter(([, s]) => s > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([f]) => ({ key: f.file, name: f.file.replace(/\.yaml$/, ""), depth: 0, folder: false, open: false, flow: f }));
  }
  interface Folder {
    folders: Map<string, Folder>;
    files: { key: string; flow?: FlowEntry }[];
  }
  const top: Folder = { folders: new Map(), files: [] };
  const at = (path: string): Folder => {
    let f = top;
    for (const part of path.split("/").filter(Boolean)) {
      let next = f.folders.get(part);
      if (!next) f.folders.set(part, (next = { folders: new Map(), files: [] }));
      f = next;
    }
    return f;
  };
  for (const f of app.folders) at(f);
  for (const f of app.flows) at(f.file.slice(0, Math.max(0, f.file.lastIndexOf("/")))).files.push({ key: f.file, flow: f });
  for (const f of app.others) if (!f.endsWith(".test.yaml")) at(f.slice(0, Math.max(0, f.lastIndexOf("/")))).files.push({ key: f });
  const out: Row[] = [];
  const walk = (f: Folder, path: string, depth: number) => {
    for (const [name, inner] of [...f.folders].sort(([a], [b]) => a.localeCompare(b))) {
      const key = path + name;
      const open = !closed.has(key);
      if (inner.files.length === 0 && inner.folders.size === 0) continue;
      out.push({ key, name, depth, folder: true, open });
      if (open) walk(inner, key + "/", depth + 1);
    }
    for (const file of f.files.sort((a, b) => a.key.localeCompare(b.key))) out.push({ key: file.key, name: base(file.key).replace(/\.yaml$/, ""), depth, folder: false, open: false, flow: file.flow });
  };
  walk(top, "", 0);
  return out;
}

/** Tree is the left side: the flows in their folders, or the nodes to add. */
export function Tree() {
  const tab = useCell(treeTab);
  return (
    <div className="tree">
      <div className="tabs panel-tabs" role="tablist" aria-label="Flows or nodes">
        <button className="tab" role="tab" id="tab-flows" aria-selected={tab === "flows"} aria-controls="pane-flows" onClick={() => treeTab.set("flows")}>
          <Icon name="folder" size={14} />
          Flows
        </button>
        <button className="tab" role="tab" id="tab-nodes" aria-selected={tab === "nodes"} aria-controls="pane-nodes" onClick={() => treeTab.set("nodes")}>
          <Icon name="node" size={14} />
          Nodes
        </button>
      </div>
      <div className="tree-pane" role="tabpanel" id={"pane-" + tab} aria-labelledby={"tab-" + tab}>
        {tab === "flows" ? <Flows /> : <Palette />}
      </div>
    </div>
  );
}

function Flows() {
  const app = useCell(workspace).app;
  const closed = useCell(shut);
  const open = usePart(desk, (d) => d.file);
  const changed = usePart(desk, (d) => (dirty(d) ? d.file : ""));
  const [word, setWord] = useState("");
  const [on, setOn] = useState(-1);
  const kept = useMemo(() => new Set(drafts()), [open, changed]);
  const all = useMemo(() => (app ? rows(app, word, closed) : []), [app, word, closed]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => setOn(all.findIndex((r) => r.key === open && !r.folder)), [open]);
  useEffect(() => {
    if (word) setOn(all.length > 0 ? 0 : -1);
  }, [word]);
  if (!app) return null;
  const toggle = (key: string, to?: boolean) =>
    shut.change((old) => {
      const next = new Set(old);
      if (to ?? old.has(key)) next.delete(key);
      else next.add(key);
      return next;
    });
  const use = (r: Row | undefined) => {
    if (!r) return;
    if (r.folder) toggle(r.key);
    else go(address("flow", r.key));
  };
  const key = (e: KeyboardEvent) => {
    const r = all[on];
    if (e.key === "ArrowDown") setOn(Math.min(all.length - 1, on + 1));
    else if (e.key === "ArrowUp") setOn(Math.max(0, on - 1));
    else if (e.key === "Home") setOn(0);
    else if (e.key === "End") setOn(all.length - 1);
    else if (e.key === "Enter") use(r);
    else if (e.key === "ArrowRight" && r?.folder) toggle(r.key, true);
    else if (e.key === "ArrowLeft" && r) {
      if (r.folder && r.open) toggle(r.key, false);
      else setOn(Math.max(0, all.findLastIndex((x, i) => i < on && x.folder && x.depth < r.depth)));
    } else if (e.key === "F2" && r?.flow) askRename(r.key);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <>
      <div className="search">
        <Icon name="search" size={14} />
        <input
          id="flow-search"
          aria-label="Search flows"
          placeholder={`Search ${app.flows.length} flows`}
          value={word}
          onChange={(e) => setWord(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === "Escape") setWord("");
            else if (e.key === "ArrowDown" || e.key === "ArrowUp" || e.key === "Enter") key(e);
          }}
        />
        {!word && <kbd>Ctrl P</kbd>}
        <button className="button plain small square" aria-label="New flow" data-tip="New flow" disabled={!canEdit(app)} onClick={() => askNew()}>
          <Icon name="plus" size={14} />
        </button>
      </div>
      <div ref={box} className="tree-list">
        {all.length === 0 ? (
          <p className="empty">{word ? "No flow is called that." : "There are no flows yet."}</p>
        ) : (
          <Rows
            count={all.length}
            height={26}
            show={on}
            role="tree"
            label="Flows"
            active={on >= 0 ? "row" + on : undefined}
            onKeyDown={key}
            render={(i) => {
              const r = all[i];
              if (!r) return null;
              const f = r.flow;
              const method = f?.triggers[0]?.method;
              return (
                <div
                  key={r.key}
                  id={"row" + i}
                  role="treeitem"
                  aria-level={r.depth + 1}
                  aria-expanded={r.folder ? r.open : undefined}
                  aria-selected={!r.folder && r.key === open}
                  className={"tree-row" + (i === on ? " on" : "") + (f && !f.enabled ? " off" : "")}
                  style={{ paddingLeft: 8 + r.depth * 14 }}
                  data-tip={f ? `${f.name}. ${f.about}` : undefined}
                  onClick={() => {
                    setOn(i);
                    use(r);
                  }}
                  onContextMenu={(e) => {
                    e.preventDefault();
                    setOn(i);
                    if (r.folder) openMenu("Folder", e.clientX, e.clientY, [{ label: "New flow in here", icon: "plus", off: !canEdit(app), act: () => askNew(r.key + "/") }]);
                    else if (f)
                      openMenu("Flow", e.clientX, e.clientY, [
                        { label: "Open", icon: "flow", act: () => use(r) },
                        { label: "Rename or move", icon: "edit", keys: "F2", off: !canEdit(app), act: () => askRename(r.key) },
                        { label: "Delete", icon: "trash", off: !canEdit(app), act: () => removeFlow(r.key) },
                      ]);
                  }}
                >
                  {r.folder ? <Icon name={r.open ? "down" : "right"} size={12} /> : <span className={"method short " + (method ?? "")}>{method ? (method === "DELETE" ? "DEL" : method) : f ? "node" : "file"}</span>}
                  <span className="cut grow">{r.name}</span>
                  {(r.key === changed || kept.has(r.key)) && <span className="unsaved" role="img" aria-label="not saved" />}
                  {f && f.problems > 0 && <span className="chip bad count">{f.problems}</span>}
                </div>
              );
            }}
          />
        )}
      </div>
    </>
  );
}
