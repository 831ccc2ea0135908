import { useState } from "react";
import { api } from "../api";
import { Dialog } from "../part/dialog";
import { tell } from "../part/note";
import { address } from "../route";
import type { Shown } from "../run";
import type { Kept } from "../wire";
import { refresh } from "../workspace";

/** KeepDialog writes a run down as a test. */
export function KeepDialog({ run, close }: { run: Shown; close: () => void }) {
  const answer = run.trace.answer;
  const [name, setName] = useState(answer && answer.status >= 400 ? `it refuses with ${answer.code || answer.status}` : `it answers ${answer?.status ?? ""}`);
  const [fake, setFake] = useState(false);
  const [made, setMade] = useState<Kept | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const write = async () => {
    setBusy(true);
    setWrong("");
    try {
      const kept = await api.keep(run.run, name, fake);
      setMade(kept);
      if (kept.written) tell("The test is written, and passes.", "good");
      void refresh();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="Keep this run as a test"
      close={close}
      footer={
        <>
          <span className="grow" />
          {made ? (
            <>
              <a className="button" href={address("flow", made.file)} onClick={close}>
                Open {made.file}
              </a>
              <button className="button strong" onClick={close}>
                Done
              </button>
            </>
          ) : (
            <>
              <button className="button" onClick={close}>
                Cancel
              </button>
              <button className="button strong" disabled={busy || name.trim() === ""} onClick={() => void write()}>
                {busy ? "Writing…" : "Write the test"}
              </button>
            </>
          )}
        </>
      }
    >
      {made ? (
        <>
          {made.result.fails.length === 0 ? <p className="notice good">It is in {made.file}, and passes.</p> : <p className="notice bad">It is in {made.file}, and does not pass yet: {made.result.fails[0]?.what}</p>}
          <pre className="json kept">{made.test}</pre>
        </>
      ) : (
        <div className="stack">
          <div className="field">
            <label htmlFor="keep-name">What the endpoint promises</label>
            <input id="keep-name" data-first className="input" value={name} onChange={(e) => setName(e.target.value)} onKeyDown={(e) => e.key === "Enter" && void write()} />
          </div>
          <label className="row check">
            <input type="checkbox" checked={fake} onChange={(e) => setFake(e.target.checked)} />
            Steps that work on a store do what they did, in place of their nodes
          </label>
          {wrong && <p className="notice bad">{wrong}</p>}
        </div>
      )}
    </Dialog>
  );
}
