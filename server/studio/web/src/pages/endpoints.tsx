import { useMemo, useState } from "react";
import { useCell } from "../cell";
import { count, time } from "../canvas/marks";
import { live } from "../live";
import { Icon } from "../part/icon";
import { score } from "../part/match";
import { Rows } from "../part/rows";
import { address, go } from "../route";
import { workspace } from "../workspace";
import { Sheet } from "./load";
import { TryIt } from "./try";

/** Endpoints is the table of all that can be called. */
export function Endpoints({ word: first }: { word: string }) {
  const app = useCell(workspace).app;
  const stats = useCell(live).stats;
  const [word, setWord] = useState(first);
  const [tried, tryIt] = useState<string | null>(null);
  const all = useMemo(() => {
    const ends = (app?.flows ?? []).flatMap((f) => f.triggers.map((t) => ({ f, t })));
    const w = word.trim();
    if (!w) return ends.sort((a, b) => a.t.path.localeCompare(b.t.path) || a.t.method.localeCompare(b.t.method));
    const scored = ends.map((e) => [e, score(e.f.name + " " + e.f.file + " " + e.f.about + " " + e.f.tags.join(" ") + " " + e.f.groups.join(" "), w)] as const);
    return scored.filter(([, s]) => s > 0).sort(([, a], [, b]) => b - a).map(([e]) => e);
  }, [app, word]);
  return (
    <Sheet
      title="Endpoints"
      about={`${all.length} that can be called`}
      tools={
        <div className="search wide">
          <Icon name="search" size={14} />
          <input aria-label="Search endpoints" placeholder="Path, file, tag or group" value={word} onChange={(e) => setWord(e.target.value)} />
        </div>
      }
    >
      <div className="grid-table" role="table" aria-label="Endpoints" aria-rowcount={all.length + 1}>
        <div className="grid-row head" role="row">
          {["Endpoint", "About", "Session", "Calls", "Failed", "p99", ""].map((h, i) => (
            <span key={i} role="columnheader">
              {h || <span className="hidden">Actions</span>}
            </span>
          ))}
        </div>
        <Rows
          count={all.length}
          height={34}
          show={-1}
          role="rowgroup"
          label="Endpoints"
          render={(i) => {
            const row = all[i];
            if (!row) return null;
            const { f, t } = row;
            const s = stats[f.file];
            return (
              <div key={t.method + t.path} className={"grid-row" + (f.served ? "" : " off")} role="row">
                <span role="cell" className="row tight cut">
                  <span className={"method " + t.method}>{t.method}</span>
                  <a className="cut mono" href={address("flow", f.file)}>
                    {t.path}
                  </a>
                  {f.problems > 0 && <span className="chip bad">{f.problems}</span>}
                </span>
                <span role="cell" className="soft cut">
                  {f.about}
                </span>
                <span role="cell" className="cut">
                  {f.session === "none" ? <span className="chip warn">everybody</span> : f.session === "optional" ? <span className="chip">optional</span> : <span className="chip good">{f.groups.length > 0 ? f.groups.join(", ") : "signed in"}</span>}
                  {f.apiKey !== "none" && f.apiKey !== "" && <span className="chip">key</span>}
                </span>
                <span role="cell" className="number mono">
                  {s ? count(s.calls) : ""}
                </span>
                <span role="cell" className={"number mono" + (s && s.fails > 0 ? " warn-ink" : "")}>
                  {s && s.calls > 0 ? Math.round((100 * s.fails) / s.calls) + "%" : ""}
                </span>
                <span role="cell" className="number mono">
                  {s && s.calls > 0 ? time(s.p99) : ""}
                </span>
                <span role="cell" className="row tight">
                  <button className="button small" disabled={!f.served} onClick={() => tryIt(f.file)}>
                    Try it
                  </button>
                  <button className="button plain small" onClick={() => go(address("reference", t.method + t.path))}>
                    Reference
                  </button>
                </span>
              </div>
            );
          }}
        />
      </div>
      {all.length === 0 && <p className="empty">No endpoint is called that.</p>}
      {tried && <TryIt file={tried} close={() => tryIt(null)} />}
    </Sheet>
  );
}
