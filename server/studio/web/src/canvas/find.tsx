import { useEffect, useMemo, useState } from "react";
import { cell } from "../cell";
import { desk, select } from "../desk";
import { Icon } from "../part/icon";
import type { Box, Drawing } from "../wire";

/** The boxes that the search in the flow finds. */
export const found = cell<ReadonlySet<string>>(new Set());

/** Find looks for words in the flow. */
export function Find({ drawing }: { drawing: Drawing }) {
  const [word, setWord] = useState("");
  const [at, setAt] = useState(0);
  const hits = useMemo<Box[]>(() => {
    const w = word.trim().toLowerCase();
    if (!w) return [];
    const values = new Map<string, string>();
    for (const s of desk.get().sheet?.steps ?? []) values.set(s.place, s.values.map((v) => v.text).join(" "));
    return drawing.boxes.filter((b) => (b.title + " " + b.subtitle + " " + b.outcome + " " + (b.kind === "end" ? "" : (values.get(b.place) ?? ""))).toLowerCase().includes(w));
  }, [word, drawing]);
  useEffect(() => {
    found.set(new Set(hits.map((b) => b.id)));
    return () => found.set(new Set());
  }, [hits]);
  const show = (i: number) => {
    const b = hits[(i + hits.length) % hits.length];
    if (!b) return;
    setAt((i + hits.length) % hits.length);
    select(b.kind === "start" ? "" : b.place);
  };
  return (
    <div className="find" role="search">
      <Icon name="search" size={14} />
      <input
        aria-label="Find in the flow"
        placeholder="Find in flow"
        value={word}
        onChange={(e) => {
          setWord(e.target.value);
          setAt(-1);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter") show(at + (e.shiftKey ? -1 : 1));
          else if (e.key === "Escape") {
            setWord("");
            document.querySelector<HTMLElement>(".canvas .box.selected")?.focus();
          } else return;
          e.preventDefault();
          e.stopPropagation();
        }}
      />
      {word && <span className="faint">{hits.length === 0 ? "nothing" : `${at < 0 ? "" : at + 1 + " of "}${hits.length}`}</span>}
      {!word && <kbd>/</kbd>}
    </div>
  );
}
