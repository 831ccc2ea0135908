import { useEffect } from "react";
import { cell, useCell } from "../cell";
import { gesture } from "../desk";
import { Icon } from "../part/icon";
import type { Gesture } from "../wire";

/** What is carried to a place between steps: a new step, or one that moves. */
export interface Load {
  label: string;
  icon: string;
  edit: Gesture; // at is the step that moves, or left empty for a new one
}

interface Carried extends Load {
  x: number;
  y: number;
  over: string | null; // the place under the pointer
  copy: boolean;
}

export const carried = cell<Carried | null>(null);

/** The canvas says which place is nearest to a point of the screen. */
export const placeAt = cell<(x: number, y: number) => string | null>(() => null);

const slack = 5; // pixels that a press may move and still be a click

/** carry begins with a press; the load follows the pointer once it has moved. */
export function carry(e: { clientX: number; clientY: number; pointerId: number; button: number }, load: Load, dropped?: () => void) {
  if (e.button !== 0) return;
  const { clientX, clientY, pointerId } = e;
  let moving = false;
  const move = (m: PointerEvent) => {
    if (m.pointerId !== pointerId) return;
    if (!moving && Math.hypot(m.clientX - clientX, m.clientY - clientY) < slack) return;
    moving = true;
    m.preventDefault();
    carried.set({ ...load, x: m.clientX, y: m.clientY, over: placeAt.get()(m.clientX, m.clientY), copy: m.altKey && load.edit.do === "move" });
  };
  const end = (m: Event) => {
    const c = carried.get();
    stop();
    if (!moving || !c || m.type !== "pointerup" || c.over === null) return;
    if (c.edit.do === "insert") void gesture([{ ...c.edit, at: c.over }]);
    else if (!within(c.over, c.edit.at)) void gesture([{ ...c.edit, do: c.copy ? "copy" : "move", to: c.over }]);
    dropped?.();
  };
  const key = (k: KeyboardEvent) => {
    if (k.key === "Escape") stop();
  };
  const stop = () => {
    carried.set(null);
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    removeEventListener("keydown", key, true);
  };
  addEventListener("pointermove", move, { passive: false });
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
  addEventListener("keydown", key, true);
}

/** within tells whether a place is inside a step, or right before or behind it, where a move changes nothing. */
export function within(place: string, step: string): boolean {
  if (place.startsWith(step + "/") || place === step) return true;
  const cut = step.lastIndexOf("/");
  return place === step.slice(0, cut + 1) + (Number(step.slice(cut + 1)) + 1);
}

/** Ghost is what the pointer carries. */
export function Ghost() {
  const c = useCell(carried);
  useEffect(() => {
    document.body.classList.toggle("carrying", !!c);
  }, [c]);
  if (!c) return null;
  return (
    <div className={"ghost" + (c.over === null ? "" : " over")} style={{ left: c.x + 12, top: c.y + 10 }}>
      <Icon name={c.icon} size={15} />
      {c.label}
      {c.copy && <span className="chip accent">copy</span>}
    </div>
  );
}
