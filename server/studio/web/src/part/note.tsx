import { cell, useCell } from "../cell";
import { Icon } from "./icon";

interface Note {
  id: number;
  kind: "" | "good" | "bad";
  text: string;
}

const notes = cell<Note[]>([]);
let next = 1;

const drop = (id: number) => notes.change((all) => all.filter((n) => n.id !== id));

/** tell shows a sentence for a while; what went wrong stays until it is closed. */
export function tell(text: string, kind: Note["kind"] = "") {
  const id = next++;
  notes.change((all) => [...all.filter((n) => n.text !== text).slice(-3), { id, kind, text }]);
  if (kind !== "bad") setTimeout(() => drop(id), 4500);
}

export const tellError = (e: unknown) => tell(e instanceof Error ? e.message : String(e), "bad");

export function Notes() {
  const all = useCell(notes);
  return (
    <div className="notes" role="status" aria-live="polite">
      {all.map((n) => (
        <div key={n.id} className={"note-card " + n.kind}>
          <span className="grow">{n.text}</span>
          <button className="button plain small square" aria-label="Dismiss" onClick={() => drop(n.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
