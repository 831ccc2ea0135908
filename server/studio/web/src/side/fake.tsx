import { useState } from "react";
import { usePart } from "../cell";
import { Icon } from "../part/icon";
import { benches, benchOf, setBench } from "../run";
import type { Canned, Step } from "../wire";

/** Fake says what a step does in runs, in place of its node. */
export function Fake({ step, file }: { step: Step; file: string }) {
  const fake = usePart(benches, (all) => all[file]?.fakes[step.place]) ?? {};
  const [wrong, setWrong] = useState("");
  const [text, setText] = useState(() => JSON.stringify(fake.out ?? {}, null, 2));
  const set = (canned: Partial<Canned> | null) => {
    const fakes = { ...benchOf(file).fakes };
    if (canned) fakes[step.place] = canned;
    else delete fakes[step.place];
    setBench(file, { fakes });
  };
  const kind = fake.outcome !== undefined ? "outcome:" + fake.outcome : fake.error !== undefined ? "error" : "out";
  return (
    <section className="fake-form" aria-label="Fake in runs">
      <h3 className="legend-line">
        <Icon name="mask" size={14} /> Fake in runs
        <span className="grow" />
        <button className="button plain small" onClick={() => set(null)}>
          Remove
        </button>
      </h3>
      <select
        className="input"
        aria-label="What the step does"
        value={kind}
        onChange={(e) => {
          const v = e.target.value;
          set(v === "out" ? { out: {} } : v === "error" ? { error: "Something broke." } : { outcome: v.slice(8) });
        }}
      >
        <option value="out">gives an output</option>
        {step.outcomes.map((o) => (
          <option key={o.name} value={"outcome:" + o.name}>
            leaves by {o.name}
          </option>
        ))}
        <option value="error">breaks</option>
      </select>
      {kind === "out" && (
        <>
          <textarea
            className="input mono"
            aria-label="Output, as JSON"
            aria-invalid={wrong !== "" || undefined}
            rows={5}
            value={text}
            onChange={(e) => {
              setText(e.target.value);
              try {
                set({ out: JSON.parse(e.target.value) as unknown });
                setWrong("");
              } catch (err) {
                setWrong(err instanceof Error ? err.message : "This is no JSON.");
              }
            }}
          />
          <p className={wrong ? "wrong" : "note"}>{wrong || "Properties that are left out are made up."}</p>
        </>
      )}
      {kind === "error" && <input className="input" aria-label="What broke" value={fake.error ?? ""} onChange={(e) => set({ error: e.target.value })} />}
    </section>
  );
}
