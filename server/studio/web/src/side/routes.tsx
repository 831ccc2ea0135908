import { pick } from "../canvas/palette";
import { useCell } from "../cell";
import { gesture, select } from "../desk";
import { Icon } from "../part/icon";
import { menuBelow, type Item } from "../part/menu";
import type { Step } from "../wire";
import { workspace } from "../workspace";

/** Routes says where the outcomes of a node lead, and leads them elsewhere. */
export function Routes({ step, off }: { step: Step; off: boolean }) {
  const app = useCell(workspace).app;
  if (step.outcomes.length === 0) return null;
  return (
    <section aria-label="Outcomes">
      <h3 className="legend-line">Outcomes</h3>
      <ul className="outcomes">
        {step.outcomes.map((o) => {
          const route = (to: string, code?: string) => void gesture([{ do: "route", at: step.place, outcome: o.name, to, ...(code ? { code } : {}) }], step.place);
          const items = (x: number, y: number): Item[] => [
            { label: `End the flow with ${o.status} ${o.name}`, icon: "stop", act: () => route("") },
            { label: "Go on without a result", icon: "down", act: () => route("continue") },
            { label: "Steps of its own…", icon: "flow", act: () => pick(`${step.place}/on/${o.name}/0`, x, y) },
            { label: "" },
            ...(app?.errors ?? []).map((e): Item => ({ label: `Fail: ${e.code}`, note: `${e.status} ${e.message}`, icon: "fail", act: () => route("fail", e.code) })),
          ];
          const where = o.to === "continue" ? "goes on" : o.to === "block" ? "own steps" : `ends: ${o.status}`;
          return (
            <li key={o.name}>
              <div className="row">
                <span className={"dot-mark " + (o.to === "" ? "end" : o.to)} />
                <b className="cut" data-tip={o.doc}>
                  {o.name}
                </b>
                <span className="grow" />
                {o.to === "block" && (
                  <button className="button plain small" onClick={() => select(o.place + "/0")}>
                    Show
                  </button>
                )}
                <button
                  className="button small"
                  aria-haspopup="menu"
                  aria-label={`Outcome ${o.name}: ${where}. Lead it elsewhere`}
                  disabled={off}
                  onClick={(e) => {
                    const r = e.currentTarget.getBoundingClientRect();
                    menuBelow(e.currentTarget, "Where " + o.name + " leads", items(r.left - 330, r.top));
                  }}
                >
                  {where}
                  <Icon name="down" size={12} />
                </button>
              </div>
              <p className="note">{o.doc}</p>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
