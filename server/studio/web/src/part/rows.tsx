import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

interface Props {
  count: number;
  height: number; // of a row, in pixels
  show: number; // the row to keep in view; -1 for none
  render: (i: number) => ReactNode;
  label: string;
  role: string;
  active?: string; // the id of the row that the keyboard is on
  onKeyDown?: (e: KeyboardEvent<HTMLDivElement>) => void;
}

/** Rows draws only those rows of a long list that can be seen. */
export function Rows({ count, height, show, render, label, role, active, onKeyDown }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, see] = useState({ top: 0, tall: 600 });
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const measure = () => see({ top: el.scrollTop, tall: el.clientHeight });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const el = box.current;
    if (!el || show < 0) return;
    const top = show * height;
    if (top < el.scrollTop) el.scrollTop = top;
    else if (top + height > el.scrollTop + el.clientHeight) el.scrollTop = top + height - el.clientHeight;
  }, [show, height]);
  const first = Math.max(0, Math.floor(seen.top / height) - 6);
  const last = Math.min(count, Math.ceil((seen.top + seen.tall) / height) + 6);
  const drawn: ReactNode[] = [];
  for (let i = first; i < last; i++) drawn.push(render(i));
  return (
    <div
      ref={box}
      className="rows scroll"
      role={role}
      aria-label={label}
      aria-activedescendant={show >= first && show < last ? active : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(e) => see({ top: e.currentTarget.scrollTop, tall: e.currentTarget.clientHeight })}
    >
      <div role="presentation" style={{ height: count * height, position: "relative" }}>
        <div role="presentation" style={{ position: "absolute", left: 0, right: 0, top: first * height }}>
          {drawn}
        </div>
      </div>
    </div>
  );
}
