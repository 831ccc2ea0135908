import { useCell } from "../cell";
import { desk, select } from "../desk";
import { panel, side } from "../layout";
import { Icon } from "../part/icon";
import { address, go } from "../route";
import type { Problem } from "../wire";
import { workspace } from "../workspace";

/** showLine leads to a line of the text. */
export function showLine(line: number, column: number) {
  panel.set(true);
  side.set("text");
  let tries = 0;
  const send = () => {
    if (document.querySelector(".code")?.shadowRoot?.querySelector(".cm-content")) dispatchEvent(new CustomEvent("sluice:line", { detail: { line, column } }));
    else if (tries++ < 60) requestAnimationFrame(send);
  };
  requestAnimationFrame(send);
}

/** Problems lists what the checker says of the text, and of the other files. */
export function Problems() {
  const d = useCell(desk);
  const app = useCell(workspace).app;
  const here = d.sheet?.problems ?? [];
  const others = (app?.problems ?? []).filter((p) => p.file !== d.file);
  if (here.length + others.length === 0) {
    return (
      <div className="empty">
        <Icon name="check" size={22} />
        <p>No problems. Every way leads to an answer, and every reference is set.</p>
      </div>
    );
  }
  return (
    <ul className="problems scroll" tabIndex={-1}>
      {here.map((p, i) => (
        <Row key={i} problem={p} show={() => (p.file === d.file ? (select(p.place), showLine(p.line, p.column)) : go(address("flow", p.file)))} />
      ))}
      {others.length > 0 && <li className="group-name">In other files</li>}
      {others.map((p, i) => (
        <Row key={"o" + i} problem={p} show={() => go(address("flow", p.file))} />
      ))}
    </ul>
  );
}

function Row({ problem: p, show }: { problem: Problem; show: () => void }) {
  return (
    <li>
      <button className="problem" onClick={show}>
        <span className={p.warning ? "warn-ink" : "bad-ink"}>
          <Icon name={p.warning ? "warning" : "error"} size={14} />
        </span>
        <span className="grow">
          {p.message}
          {p.hint && <span className="soft"> ({p.hint})</span>}
        </span>
        <span className="faint mono">
          {p.file}:{p.line}:{p.column}
        </span>
      </button>
    </li>
  );
}
