import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Icon } from "./icon";

const reachable = "button:not(:disabled), [href], input:not(:disabled), select, textarea, [tabindex='0']";

/** holdFocus keeps Tab inside an element. */
export function holdFocus(e: KeyboardEvent<HTMLElement>) {
  if (e.key !== "Tab") return;
  const all = [...e.currentTarget.querySelectorAll<HTMLElement>(reachable)].filter((el) => el.offsetParent !== null);
  const first = all[0];
  const last = all[all.length - 1];
  if (!first || !last) return;
  if (e.shiftKey && document.activeElement === first) {
    e.preventDefault();
    last.focus();
  } else if (!e.shiftKey && document.activeElement === last) {
    e.preventDefault();
    first.focus();
  }
}

interface Props {
  title: string;
  wide?: boolean;
  close: () => void;
  children: ReactNode;
  footer?: ReactNode;
}

/** Dialog asks for all attention; Escape and a press beside it close it. */
export function Dialog({ title, wide, close, children, footer }: Props) {
  const name = useId();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const el = box.current;
    if (el && !el.contains(document.activeElement)) (el.querySelector<HTMLElement>("[data-first]") ?? el.querySelector<HTMLElement>(".body " + reachable.split(", ").join(", .body ")) ?? el).focus();
    return () => before?.focus?.();
  }, []);
  return (
    <div className="veil" onPointerDown={(e) => e.target === e.currentTarget && close()}>
      <div
        ref={box}
        className={wide ? "dialog wide" : "dialog"}
        role="dialog"
        aria-modal="true"
        aria-labelledby={name}
        tabIndex={-1}
        onKeyDown={(e) => {
          if (e.key === "Escape") {
            e.stopPropagation();
            close();
          }
          holdFocus(e);
        }}
      >
        <div className="dialog-head">
          <h2 id={name} className="grow">
            {title}
          </h2>
          <button className="button plain square" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        <div className="body scroll" tabIndex={-1}>
          {children}
        </div>
        {footer && <div className="dialog-foot">{footer}</div>}
      </div>
    </div>
  );
}
