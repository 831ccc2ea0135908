import { useCell, usePart } from "../cell";
import { desk } from "../desk";
import { drawer, drawerTab } from "../layout";
import { live } from "../live";
import { Icon } from "../part/icon";
import { LiveList } from "./live";
import { Problems } from "./problems";
import { RunPane } from "./run";

const tabs = [
  { tab: "run", label: "Run", icon: "play", keys: "Alt 3" },
  { tab: "problems", label: "Problems", icon: "warning", keys: "Alt 4" },
  { tab: "live", label: "Live", icon: "live", keys: "Alt 5" },
] as const;

/** Drawer is below the canvas: run the flow, its problems, and the calls that come in. */
export function Drawer() {
  const tab = useCell(drawerTab);
  const open = useCell(drawer);
  const problems = usePart(desk, (d) => d.sheet?.problems.length ?? 0);
  const linked = usePart(live, (l) => l.linked);
  return (
    <section className={"drawer" + (open ? "" : " shut")} aria-label="Run, problems and live calls">
      <div className="drawer-bar">
        <div className="tabs" role="tablist" aria-label="Drawer">
          {tabs.map((t) => (
            <button
              key={t.tab}
              className="tab"
              role="tab"
              id={"tab-" + t.tab}
              aria-selected={tab === t.tab}
              aria-controls={"pane-" + t.tab}
              data-tip={t.label}
              data-keys={t.keys}
              onClick={() => {
                drawer.set(!(open && tab === t.tab));
                drawerTab.set(t.tab);
              }}
            >
              <Icon name={t.icon} size={14} />
              {t.label}
              {t.tab === "problems" && problems > 0 && <span className="chip bad">{problems}</span>}
              {t.tab === "live" && linked && <span className="pulse" role="img" aria-label="connected" />}
            </button>
          ))}
        </div>
        <span className="grow" />
        <button className="button plain small square" aria-label={open ? "Close the drawer" : "Open the drawer"} aria-expanded={open} data-tip={open ? "Close" : "Open"} data-keys="Ctrl J" onClick={() => drawer.set(!open)}>
          <Icon name={open ? "down" : "up"} size={14} />
        </button>
      </div>
      {open && (
        <div className="drawer-pane" role="tabpanel" id={"pane-" + tab} aria-labelledby={"tab-" + tab}>
          {tab === "run" ? <RunPane /> : tab === "problems" ? <Problems /> : <LiveList />}
        </div>
      )}
    </section>
  );
}
