import { useEffect, useState } from "react";
import { useCell } from "../cell";
import { time } from "../canvas/marks";
import { Icon } from "../part/icon";
import { address, go } from "../route";
import { lens } from "../run";
import type { TestFile } from "../wire";
import { workspace } from "../workspace";
import { Sheet } from "./load";
import { lastReport, report, runTests } from "./report";

/** Tests runs the tests beside the flows, and shows what they cover. */
export function Tests() {
  const { report: got, running, done } = useCell(report);
  const app = useCell(workspace).app;
  const [bad, setBad] = useState(false);
  useEffect(() => void lastReport(), []);
  const all = (app?.others ?? []).filter((f) => f.endsWith(".test.yaml")).length;
  const files = (running && !got ? done : (got?.files ?? [])).filter((f) => !bad || f.tests.some((t) => t.fails.length > 0));
  return (
    <Sheet
      title="Tests"
      about={got ? `${got.passed} passed, ${got.failed} failed; ${got.covered} of ${got.ways} ways through the flows are tested` : `${all} files of tests`}
      tools={
        <>
          <label className="row check">
            <input type="checkbox" checked={bad} onChange={(e) => setBad(e.target.checked)} />
            Only failures
          </label>
          <button className="button strong" disabled={running || app?.readOnly} onClick={() => void runTests()}>
            <Icon name="play" size={14} />
            {running ? `Running… ${done.length} of ${all}` : "Run all"}
          </button>
        </>
      }
    >
      {running && <progress className="progress" max={Math.max(all, 1)} value={done.length} aria-label="Files of tests that have run" />}
      {got && (
        <div className="meter" role="img" aria-label={`${got.covered} of ${got.ways} ways are tested`}>
          <span style={{ width: `${got.ways ? (100 * got.covered) / got.ways : 0}%` }} />
        </div>
      )}
      {files.length === 0 && !running && (
        <div className="empty">
          <Icon name="beaker" size={24} />
          <p>{got ? "No failures." : all > 0 ? "The tests have not run yet since the server began." : "There are no tests. Run a flow and keep the run as one."}</p>
        </div>
      )}
      {files.map((f) => (
        <File key={f.file} file={f} running={running} covered={got?.flows.find((c) => c.file === f.flow)} />
      ))}
    </Sheet>
  );
}

function File({ file: f, running, covered }: { file: TestFile; running: boolean; covered?: { ways: number; covered: number } }) {
  const failed = f.tests.filter((t) => t.fails.length > 0).length;
  return (
    <details className="test-file" open={failed > 0}>
      <summary>
        <span className={failed > 0 ? "bad-ink" : "good-ink"}>
          <Icon name={failed > 0 ? "close" : "check"} size={14} />
        </span>
        <span className="mono cut grow">{f.file}</span>
        {covered && (
          <span className={"chip " + (covered.covered < covered.ways ? "" : "good")}>
            {covered.covered}/{covered.ways} ways
          </span>
        )}
        <span className="faint mono">{f.tests.length} tests</span>
        <span className="faint mono">{time(f.took)}</span>
      </summary>
      <div className="row test-tools">
        <button className="button small" disabled={running} onClick={() => void runTests(f.flow)}>
          Run these
        </button>
        <button
          className="button plain small"
          onClick={() => {
            lens.set("tests");
            go(address("flow", f.flow));
          }}
        >
          Coverage on the canvas
        </button>
        <a className="button plain small" href={address("flow", f.file)}>
          Open the tests
        </a>
      </div>
      <ul className="lines">
        {f.tests.map((t) => (
          <li key={t.name + t.line} className="test">
            <span className={t.fails.length > 0 ? "bad-ink" : "good-ink"}>
              <Icon name={t.fails.length > 0 ? "close" : "check"} size={13} />
            </span>
            <span className="grow">
              {t.name}
              {t.fails.map((x, i) => (
                <pre key={i} className="test-fail">
                  {f.file}:{x.line}: {x.what}
                </pre>
              ))}
            </span>
            <span className="faint mono">{time(t.took)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
