import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { cell, useCell } from "../cell";
import { Icon } from "./icon";

/** An Item is a line of a menu; one without an action is a line between others. */
export interface Item {
  label: string;
  icon?: string;
  keys?: string;
  note?: string;
  off?: boolean;
  act?: () => void;
}

interface Open {
  items: Item[];
  x: number;
  y: number;
  name: string;
}

const open = cell<Open | null>(null);

export function openMenu(name: string, x: number, y: number, items: Item[]) {
  open.set({ name, x, y, items });
}

/** menuBelow opens a menu at a button. */
export function menuBelow(el: Element, name: string, items: Item[]) {
  const r = el.getBoundingClientRect();
  openMenu(name, r.left, r.bottom + 4, items);
}

export function Menus() {
  const menu = useCell(open);
  return menu && <Menu key={menu.x + "," + menu.y + menu.name} {...menu} />;
}

function Menu({ items, x, y, name }: Open) {
  const box = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement as HTMLElement | null);
  const [at, place] = useState({ left: x, top: y });
  useLayoutEffect(() => {
    const r = box.current?.getBoundingClientRect();
    if (r) place({ left: Math.max(8, Math.min(x, innerWidth - r.width - 8)), top: Math.max(8, Math.min(y, innerHeight - r.height - 8)) });
    box.current?.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
  }, [x, y]);
  const close = () => {
    open.set(null);
    before.current?.focus?.();
  };
  useEffect(() => {
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) open.set(null);
    };
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, []);
  const step = (by: number) => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>("button:not(:disabled)") ?? [])];
    const i = all.indexOf(document.activeElement as HTMLElement);
    all[(i + by + all.length) % all.length]?.focus();
  };
  return (
    <div
      ref={box}
      className="menu scroll"
      role="menu"
      aria-label={name}
      style={at}
      onKeyDown={(e) => {
        const by = { ArrowDown: 1, ArrowUp: -1, Tab: e.shiftKey ? -1 : 1 }[e.key];
        if (by) step(by);
        else if (e.key === "Escape") close();
        else return;
        e.preventDefault();
        e.stopPropagation();
      }}
    >
      {items.map((item, i) => (
        <Fragment key={i}>
          {item.act ? (
            <button
              role="menuitem"
              disabled={item.off}
              onClick={() => {
                close();
                item.act?.();
              }}
            >
              {item.icon && <Icon name={item.icon} size={15} />}
              <span className="grow">
                {item.label}
                {item.note && <span className="menu-note">{item.note}</span>}
              </span>
              {item.keys && <kbd>{item.keys}</kbd>}
            </button>
          ) : (
            <hr />
          )}
        </Fragment>
      ))}
    </div>
  );
}
