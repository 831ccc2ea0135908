import { useEffect, useId, useMemo, useState } from "react";
import { cell, useCell } from "./cell";
import { commands } from "./commands";
import { holdFocus } from "./part/dialog";
import { Icon } from "./part/icon";
import { score } from "./part/match";
import { address, go } from "./route";
import { workspace } from "./workspace";

/** What the quick box looks for: flows, or with > commands. */
export const quick = cell<string | null>(null);

interface Hit {
  label: string;
  note: string;
  icon: string;
  keys?: string;
  act: () => void;
}

export function Quick() {
  const start = useCell(quick);
  return start !== null && <Box start={start} />;
}

function Box({ start }: { start: string }) {
  const app = useCell(workspace).app;
  const [word, setWord] = useState(start);
  const [on, setOn] = useState(0);
  const list = useId();
  const [before] = useState(() => document.activeElement as HTMLElement | null);
  const hits = useMemo<Hit[]>(() => {
    if (word.startsWith(">")) {
      const w = word.slice(1).trim();
      return commands()
        .filter((c) => !w || score(c.label, w) > 0)
        .map((c) => ({ label: c.label, note: c.group, icon: c.icon ?? "right", keys: c.keys, act: c.act }));
    }
    const w = word.trim();
    return (app?.flows ?? [])
      .map((f) => [f, w ? Math.max(score(f.file, w), score(f.name, w), score(f.about, w) - 30) : 1] as const)
      .filter(([, s]) => s > 0)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 60)
      .map(([f]) => ({ label: f.name, note: f.file, icon: f.triggers.length > 0 ? "trigger" : "flow", act: () => go(address("flow", f.file)) }));
  }, [word, app]);
  useEffect(() => setOn(0), [word]);
  useEffect(() => {
    document.getElementById(list + on)?.scrollIntoView({ block: "nearest" }); // what scrolls may give a promise, which is no clean-up
  }, [on, list]);
  const close = () => {
    quick.set(null);
    before?.focus?.();
  };
  const use = (h: Hit | undefined) => {
    if (!h) return;
    close();
    h.act();
  };
  return (
    <div className="veil" onPointerDown={(e) => e.target === e.currentTarget && close()}>
      <div className="dialog quick" role="dialog" aria-modal="true" aria-label="Go to a flow or command" onKeyDown={holdFocus}>
        <div className="picker-head">
          <Icon name="search" />
          <input
            autoFocus
            onFocus={(e) => e.target.setSelectionRange(e.target.value.length, e.target.value.length)}
            role="combobox"
            aria-label="Flow, or > and a command"
            aria-expanded="true"
            aria-controls={list}
            aria-activedescendant={hits[on] ? list + on : undefined}
            placeholder="Go to a flow, or type > for commands"
            value={word}
            onChange={(e) => setWord(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === "ArrowDown") setOn((on + 1) % Math.max(1, hits.length));
              else if (e.key === "ArrowUp") setOn((on - 1 + hits.length) % Math.max(1, hits.length));
              else if (e.key === "Enter") use(hits[on]);
              else if (e.key === "Escape") close();
              else return;
              e.preventDefault();
              e.stopPropagation();
            }}
          />
        </div>
        <div className="picker-list scroll" role="listbox" id={list} aria-label="Hits" tabIndex={-1}>
          {hits.map((h, i) => (
            <div key={h.note + h.label} id={list + i} role="option" aria-selected={i === on} className="option" onPointerMove={() => setOn(i)} onClick={() => use(h)}>
              <Icon name={h.icon} size={14} />
              <span className="cut">{h.label}</span>
              <span className="grow cut faint quick-note">{h.note}</span>
              {h.keys && <kbd>{h.keys}</kbd>}
            </div>
          ))}
          {hits.length === 0 && <p className="empty">Nothing is called that.</p>}
        </div>
      </div>
    </div>
  );
}
