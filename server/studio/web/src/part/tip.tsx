import { useEffect, useState } from "react";

interface Shown {
  text: string;
  keys: string;
  x: number;
  y: number;
  below: boolean;
}

/** Tips shows the data-tip of what the pointer rests on or the keyboard reaches. */
export function Tips() {
  const [shown, show] = useState<Shown | null>(null);
  useEffect(() => {
    let timer = 0;
    let of: Element | null = null;
    const hide = () => {
      clearTimeout(timer);
      of = null;
      show(null);
    };
    const over = (e: Event, wait: number) => {
      const found = (e.target as Element | null)?.closest?.("[data-tip]") ?? null;
      if (found === of) return;
      hide();
      if (!found) return;
      of = found;
      timer = window.setTimeout(() => {
        if (!found.isConnected) return;
        const r = found.getBoundingClientRect();
        const below = r.top < 60 || found.getAttribute("data-tip-side") === "below";
        show({
          text: found.getAttribute("data-tip") ?? "",
          keys: found.getAttribute("data-keys") ?? "",
          x: Math.min(Math.max(r.left + r.width / 2, 90), innerWidth - 90),
          y: below ? r.bottom + 6 : r.top - 6,
          below,
        });
      }, wait);
    };
    const pointer = (e: Event) => over(e, 450);
    const focus = (e: Event) => {
      if ((e.target as Element).matches?.(":focus-visible")) over(e, 250);
    };
    const ends = ["pointerdown", "wheel", "keydown", "focusout"];
    addEventListener("pointerover", pointer);
    addEventListener("focusin", focus);
    for (const name of ends) addEventListener(name, hide, { passive: true });
    return () => {
      hide();
      removeEventListener("pointerover", pointer);
      removeEventListener("focusin", focus);
      for (const name of ends) removeEventListener(name, hide);
    };
  }, []);
  if (!shown) return null;
  return (
    <div className="tip" aria-hidden="true" style={{ left: shown.x, top: shown.y, transform: `translate(-50%, ${shown.below ? "0" : "-100%"})` }}>
      {shown.text}
      {shown.keys && <kbd>{shown.keys}</kbd>}
    </div>
  );
}
