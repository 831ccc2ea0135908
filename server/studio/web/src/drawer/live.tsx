import { useMemo, useState } from "react";
import { useCell } from "../cell";
import { count, time } from "../canvas/marks";
import { desk } from "../desk";
import { live } from "../live";
import { Icon } from "../part/icon";
import { Rows } from "../part/rows";
import { address, go } from "../route";
import { drawerTab } from "../layout";
import { lens, watch } from "../run";

export function StatusChip({ status }: { status: number }) {
  return <span className={"chip status " + (status < 400 ? "good" : status < 500 ? "warn" : "bad")}>{status}</span>;
}

/** LiveList is the last calls, newest first. */
export function LiveList() {
  const { calls, stats, every, linked } = useCell(live);
  const file = useCell(desk).file;
  const [mine, setMine] = useState(true);
  const [bad, setBad] = useState(false);
  const seen = useMemo(() => calls.filter((c) => (!mine || !file || c.file === file) && (!bad || c.status >= 400)), [calls, mine, bad, file]);
  const s = stats[file];
  return (
    <div className="live">
      <div className="live-bar">
        {file && (
          <label className="row check">
            <input type="checkbox" checked={mine} onChange={(e) => setMine(e.target.checked)} />
            Only this flow
          </label>
        )}
        <label className="row check">
          <input type="checkbox" checked={bad} onChange={(e) => setBad(e.target.checked)} />
          Only failures
        </label>
        <span className="grow" />
        {s && (
          <span className="row soft numbers">
            <span>
              <b>{count(s.calls)}</b> calls
            </span>
            <span className={s.fails > 0 ? "warn-ink" : ""}>
              <b>{s.calls ? ((100 * s.fails) / s.calls).toFixed(s.fails ? 1 : 0) : 0}%</b> failed
            </span>
            <span>
              p50 <b>{time(s.p50)}</b>
            </span>
            <span>
              p99 <b>{time(s.p99)}</b>
            </span>
          </span>
        )}
        {every > 1 && <span className="faint">One call of {every} has a trace</span>}
      </div>
      {seen.length === 0 ? (
        <div className="empty">
          <Icon name="live" size={22} />
          <p>{linked ? "No calls yet. They appear here as they come in." : "Not connected; trying again."}</p>
        </div>
      ) : (
        <Rows
          count={seen.length}
          height={28}
          show={-1}
          role="list"
          label="Last calls"
          render={(i) => {
            const c = seen[i];
            if (!c) return null;
            return (
              <div role="listitem" key={c.id || c.time + i} className="live-row">
                <button
                  className="live-call"
                  disabled={!c.traced}
                  onClick={() => {
                    if (c.file !== file) go(address("flow", c.file));
                    drawerTab.set("run");
                    lens.set("run");
                    void watch(c.id);
                  }}
                >
                  <span className="faint mono">{c.time.slice(11, 23)}</span>
                  <StatusChip status={c.status} />
                  <span className={"method " + c.method}>{c.method}</span>
                  <span className="cut grow">{c.path}</span>
                  {c.code && <code className="soft cut">{c.code}</code>}
                  <span className="mono number">{time(c.took)}</span>
                </button>
              </div>
            );
          }}
        />
      )}
    </div>
  );
}
