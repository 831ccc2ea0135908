import { useCell, type Cell } from "../cell";

interface Props {
  cell: Cell<number>;
  least: number;
  most: number;
  label: string;
  turned?: boolean; // the pane is right of the grip, or below it
  level?: boolean; // the grip lies between what is above and below
}

/** Grip is the line between two panes, by which one is made larger. */
export function Grip({ cell, least, most, label, turned, level }: Props) {
  const now = useCell(cell);
  const to = (size: number) => cell.set(Math.round(Math.max(least, Math.min(most, size))));
  return (
    <div
      className={"grip" + (level ? " level" : "")}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={level ? "horizontal" : "vertical"}
      aria-valuenow={now}
      aria-valuemin={least}
      aria-valuemax={most}
      onPointerDown={(e) => {
        const start = level ? e.clientY : e.clientX;
        const from = cell.get();
        const el = e.currentTarget;
        el.setPointerCapture(e.pointerId);
        const move = (m: PointerEvent) => to(from + ((level ? m.clientY : m.clientX) - start) * (turned ? -1 : 1));
        const end = () => {
          el.removeEventListener("pointermove", move);
          el.removeEventListener("pointerup", end);
        };
        el.addEventListener("pointermove", move);
        el.addEventListener("pointerup", end);
      }}
      onKeyDown={(e) => {
        const more = level ? (turned ? "ArrowUp" : "ArrowDown") : turned ? "ArrowLeft" : "ArrowRight";
        const less = level ? (turned ? "ArrowDown" : "ArrowUp") : turned ? "ArrowRight" : "ArrowLeft";
        if (e.key === more) to(now + 24);
        else if (e.key === less) to(now - 24);
        else return;
        e.preventDefault();
      }}
    />
  );
}
