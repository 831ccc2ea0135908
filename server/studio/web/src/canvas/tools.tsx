import { useReactFlow, useStore } from "@xyflow/react";
import { useCell } from "../cell";
import { Icon } from "../part/icon";
import { lens, shown, type Lens } from "../run";

const lenses: { lens: Lens; label: string; icon: string; tip: string }[] = [
  { lens: "", label: "Flow", icon: "flow", tip: "The flow by itself" },
  { lens: "run", label: "Run", icon: "play", tip: "What the last run did" },
  { lens: "live", label: "Live", icon: "live", tip: "Counts and times of real calls" },
  { lens: "tests", label: "Tests", icon: "beaker", tip: "Which ways the tests take" },
];

/** How the whole flow is shown: below what stands on the canvas. */
export const whole = { padding: { top: "56px", right: "24px", bottom: "16px", left: "24px" }, duration: 160, maxZoom: 1 } as const;

/** Tools stand on the canvas: what it shows, and how large. */
export function Tools() {
  const flow = useReactFlow();
  const zoom = useStore((s) => Math.round(s.transform[2] * 100));
  const now = useCell(lens);
  const run = useCell(shown);
  return (
    <>
      <div className="tools lenses" role="group" aria-label="What the canvas shows">
        {lenses.map((l) => (
          <button key={l.lens} className="button plain small" aria-pressed={now === l.lens} data-tip={l.tip} data-tip-side="below" disabled={l.lens === "run" && !run} onClick={() => lens.set(l.lens)}>
            <Icon name={l.icon} size={14} />
            {l.label}
          </button>
        ))}
      </div>
      <div className="tools zooms" role="group" aria-label="Zoom">
        <button className="button plain small square" aria-label="Zoom out" data-tip="Zoom out" data-keys="-" onClick={() => void flow.zoomOut({ duration: 120 })}>
          <Icon name="minus" size={14} />
        </button>
        <button className="button plain small" aria-label={`Zoom is ${zoom} percent; back to 100`} data-tip="Full size" data-keys="0" onClick={() => void flow.zoomTo(1, { duration: 120 })}>
          {zoom}%
        </button>
        <button className="button plain small square" aria-label="Zoom in" data-tip="Zoom in" data-keys="+" onClick={() => void flow.zoomIn({ duration: 120 })}>
          <Icon name="plus" size={14} />
        </button>
        <button className="button plain small square" aria-label="Show the whole flow" data-tip="Show the whole flow" data-keys="F" onClick={() => void flow.fitView(whole)}>
          <Icon name="fit" size={14} />
        </button>
      </div>
    </>
  );
}
