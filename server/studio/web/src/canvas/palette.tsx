import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { cell, useCell } from "../cell";
import { desk, gesture } from "../desk";
import { family, Icon } from "../part/icon";
import { score } from "../part/match";
import type { App, Gesture } from "../wire";
import { workspace } from "../workspace";
import { carry } from "./drag";
import { aim } from "./walk";

/** A Kind of step that can be added. */
export interface Choice {
  name: string;
  doc: string;
  icon: string;
  hue: number;
  group: string;
  edit: Gesture;
}

const hues = ["user", "password", "session", "data", "http", "mail", "code", "token"];

/** hue is the colour of a family, as the server gives it to boxes. */
export function hue(name: string): number {
  const i = hues.indexOf(name);
  if (i >= 0) return i;
  let sum = -1;
  for (const r of name) sum += r.codePointAt(0) ?? 0;
  return sum % hues.length;
}

/** choices lists all steps that can be added: what steps do, then the nodes by family. */
export function choices(app: App | null): Choice[] {
  if (!app) return [];
  const verbs = app.verbs
    .filter((v) => v.verb !== "node")
    .map((v): Choice => ({ name: v.verb, doc: v.doc, icon: v.verb, hue: 8, group: "steps", edit: { do: "insert", at: "", verb: v.verb } }));
  const nodes = app.nodes.map((n): Choice => ({ name: n.name, doc: n.doc, icon: n.file ? "flow" : family(n.name), hue: hue(n.family), group: n.family, edit: { do: "insert", at: "", node: n.name } }));
  return [...verbs, ...nodes];
}

export function sought(all: Choice[], word: string): Choice[] {
  const w = word.trim();
  if (!w) return all;
  return all
    .map((c) => [c, Math.max(score(c.name, w), score(c.doc, w) - 20)] as const)
    .filter(([, s]) => s > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([c]) => c);
}

export function ChoiceRow({ choice }: { choice: Choice }) {
  return (
    <>
      <span className="tile small" style={{ background: `var(--hue${choice.hue})` }}>
        <Icon name={choice.icon} size={13} />
      </span>
      <span className="grow">
        <span className="choice-name cut">{choice.name}</span>
        <span className="choice-doc cut">{choice.doc}</span>
      </span>
    </>
  );
}

interface Asked {
  place: string;
  x: number;
  y: number;
}

const asked = cell<Asked | null>(null);

/** pick asks for a step to add at a place. */
export function pick(place: string, x: number, y: number) {
  asked.set({ place, x, y });
}

/** Picker is the palette at a place of the canvas. */
export function Picker() {
  const at = useCell(asked);
  return at && <Open key={at.place} {...at} />;
}

function Open({ place, x, y }: Asked) {
  const app = useCell(workspace).app;
  const [word, setWord] = useState("");
  const [on, setOn] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement as HTMLElement | null);
  const [where, setWhere] = useState({ left: x, top: y });
  const list = useId();
  const all = useMemo(() => choices(app), [app]);
  const shown = useMemo(() => sought(all, word), [all, word]);
  useLayoutEffect(() => {
    const r = box.current?.getBoundingClientRect();
    if (r) setWhere({ left: Math.max(8, Math.min(x, innerWidth - r.width - 8)), top: Math.max(8, Math.min(y, innerHeight - r.height - 8)) });
  }, [x, y]);
  useEffect(() => {
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) asked.set(null);
    };
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, []);
  useEffect(() => {
    document.getElementById(list + on)?.scrollIntoView({ block: "nearest" });
  }, [on, list]);
  const close = () => {
    asked.set(null);
    before.current?.focus?.();
  };
  const add = (c: Choice | undefined) => {
    if (!c) return;
    close();
    void gesture([{ ...c.edit, at: place }]);
  };
  return (
    <div ref={box} className="picker" role="dialog" aria-label="Add a step" style={where}>
      <div className="picker-head">
        <Icon name="search" size={14} />
        <input
          autoFocus
          role="combobox"
          aria-label="Search steps and nodes"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={shown[on] ? list + on : undefined}
          placeholder="Add a step: fetch, if, respond…"
          value={word}
          onChange={(e) => {
            setWord(e.target.value);
            setOn(0);
          }}
          onKeyDown={(e) => {
            if (e.key === "ArrowDown") setOn((on + 1) % Math.max(1, shown.length));
            else if (e.key === "ArrowUp") setOn((on - 1 + shown.length) % Math.max(1, shown.length));
            else if (e.key === "Enter") add(shown[on]);
            else if (e.key === "Escape") close();
            else if (e.key === "Tab") close();
            else return;
            e.preventDefault();
            e.stopPropagation();
          }}
        />
      </div>
      <div className="picker-list scroll" role="listbox" id={list} aria-label="Steps and nodes" tabIndex={-1}>
        {shown.map((c, i) => (
          <div key={c.name} id={list + i} className="option" role="option" aria-selected={i === on} onPointerMove={() => setOn(i)} onClick={() => add(c)}>
            <ChoiceRow choice={c} />
          </div>
        ))}
        {shown.length === 0 && <p className="empty">Nothing is called that.</p>}
      </div>
    </div>
  );
}

/** Palette is the list of steps at the left, from which they are dragged. */
export function Palette() {
  const app = useCell(workspace).app;
  const [word, setWord] = useState("");
  const all = useMemo(() => choices(app), [app]);
  const shown = useMemo(() => sought(all, word), [all, word]);
  const groups = useMemo(() => [...Map.groupBy(shown, (c) => (word ? "found" : c.group))], [shown, word]);
  return (
    <div className="palette">
      <div className="search">
        <Icon name="search" size={14} />
        <input aria-label="Search nodes" placeholder="Search nodes" value={word} onChange={(e) => setWord(e.target.value)} />
      </div>
      <div className="palette-list scroll" tabIndex={-1}>
        {groups.map(([name, list]) => (
          <section key={name} aria-label={name}>
            {!word && <h3 className="group-name">{name}</h3>}
            <ul>
              {list.map((c) => (
                <li key={c.name}>
                  <button
                    className="option palette-item"
                    data-tip={c.doc}
                    onPointerDown={(e) => carry(e, { label: c.name, icon: c.icon, edit: c.edit })}
                    onKeyDown={(e) => {
                      if (e.key !== "Enter") return;
                      e.preventDefault();
                      void gesture([{ ...c.edit, at: aim(desk.get()) }]);
                    }}
                  >
                    <ChoiceRow choice={c} />
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {shown.length === 0 && <p className="empty">No node is called that.</p>}
      </div>
    </div>
  );
}

