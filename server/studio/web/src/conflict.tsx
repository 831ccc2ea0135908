import { useMemo, useState } from "react";
import { useCell } from "./cell";
import { desk, putOff, revert, save, settle } from "./desk";
import { merge, type Piece } from "./merge";
import { Dialog } from "./part/dialog";
import type { Theirs } from "./wire";

/** Conflict shows what was changed here, what was changed on the disk, and what both make. */
export function Conflict() {
  const { conflict } = useCell(desk);
  return conflict && <Settle theirs={conflict} />;
}

function Settle({ theirs }: { theirs: Theirs }) {
  const mine = desk.get().text;
  const base = theirs.base || desk.get().base;
  const pieces = useMemo(() => merge(base, mine, theirs.text), [base, mine, theirs.text]);
  const [picks, pick] = useState<Record<number, "mine" | "theirs" | "both">>({});
  const open = pieces.filter((p, i) => p.kind === "conflict" && !picks[i]).length;
  const text = pieces
    .flatMap((p, i) => {
      if (p.kind !== "conflict") return p.lines;
      const way = picks[i];
      return way === "mine" ? p.mine : way === "theirs" ? p.theirs : way === "both" ? [...p.mine, ...p.theirs] : p.mine;
    })
    .join("\n");
  return (
    <Dialog
      wide
      title={`${theirs.file} has changed on the disk`}
      close={putOff}
      footer={
        <>
          <span className="grow soft">{open > 0 ? `${open} ${open === 1 ? "place" : "places"} to decide` : "Nothing is in each other's way; look it through and take it."}</span>
          <button className="button" onClick={() => void revert()}>
            Take the disk’s
          </button>
          <button
            className="button"
            onClick={() => {
              putOff();
              void save(theirs.revision);
            }}
          >
            Save mine over it
          </button>
          <button className="button strong" disabled={open > 0} onClick={() => void settle(text, theirs)}>
            Take the merged text
          </button>
        </>
      }
    >
      <p className="soft conflict-note">Somebody, or an editor, has written the file since you opened it. Nothing is lost: what only one side changed is taken as it is, and what both changed is yours to decide.</p>
      <div className="conflict-heads" aria-hidden="true">
        <b>Before</b>
        <b>Here, not saved</b>
        <b>On the disk</b>
      </div>
      <div className="conflict">
        {pieces.map((p, i) => (
          <PieceView key={i} piece={p} picked={picks[i]} pick={(w) => pick({ ...picks, [i]: w })} />
        ))}
      </div>
    </Dialog>
  );
}

function PieceView({ piece: p, picked, pick }: { piece: Piece; picked: string | undefined; pick: (w: "mine" | "theirs" | "both") => void }) {
  const [all, setAll] = useState(false);
  if (p.kind === "same") {
    if (p.lines.length <= 6 || all) return <pre className="piece same">{p.lines.join("\n") + "\n"}</pre>;
    return (
      <>
        <pre className="piece same">{p.lines.slice(0, 2).join("\n") + "\n"}</pre>
        <button className="button plain small folded" onClick={() => setAll(true)}>
          {p.lines.length - 4} lines that are the same
        </button>
        <pre className="piece same">{p.lines.slice(-2).join("\n") + "\n"}</pre>
      </>
    );
  }
  const show = (lines: string[]) => (lines.length > 0 ? lines.join("\n") + "\n" : "(nothing)");
  return (
    <div className={"piece three " + p.kind} role="group" aria-label={p.kind === "conflict" ? "Changed on both sides" : p.kind === "mine" ? "Changed here" : "Changed on the disk"}>
      <pre>{show(p.base)}</pre>
      <pre className={p.kind !== "theirs" ? "changed" : ""}>{show(p.mine)}</pre>
      <pre className={p.kind !== "mine" ? "changed" : ""}>{show(p.theirs)}</pre>
      {p.kind === "conflict" && (
        <div className="row pick">
          <span className="bad-ink grow">{picked ? "" : "Which one?"}</span>
          {(["mine", "theirs", "both"] as const).map((w) => (
            <button key={w} className="button small" aria-pressed={picked === w} onClick={() => pick(w)}>
              {w === "mine" ? "Mine" : w === "theirs" ? "The disk’s" : "Both"}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
