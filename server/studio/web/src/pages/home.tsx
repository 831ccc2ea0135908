import { useState } from "react";
import { useCell } from "../cell";
import { askNew } from "../files";
import { begin, save } from "../desk";
import { live } from "../live";
import { count } from "../canvas/marks";
import { Icon } from "../part/icon";
import { address, go } from "../route";
import type { App, Problem } from "../wire";
import { canEdit, workspace } from "../workspace";

/** Home is the first page: what the application is, or how to begin one. */
export function Home() {
  const app = useCell(workspace).app;
  if (!app) return null;
  return app.flows.length === 0 ? <First app={app} /> : <Overview app={app} />;
}

/** The flow that the first page offers. */
const hello = {
  file: "hello.yaml",
  icon: "send",
  title: "Say hello",
  about: "GET /hello/{name} greets whoever calls.",
  text: `about: Greet callers by their name.\nendpoint: GET /hello/{name}\nsession: none\n\ninput:\n  path:\n    name: {type: string, maxLength: 40}\n\nsteps:\n  - respond: 200\n    body: {greeting: "Hello, {$path.name}."}\n`,
};

/** First leads from an empty application to its first endpoint. */
function First({ app }: { app: App }) {
  const [done, setDone] = useState(false);
  const make = async (file: string, text: string) => {
    await begin(file, text);
    go(address("flow", file));
    setDone(await save(""));
  };
  const off = !canEdit(app);
  return (
    <div className="first scroll" tabIndex={-1}>
      <h1>Your first endpoint</h1>
      <p className="soft">
        An endpoint is a flow: a chain of steps that ends with an answer. It is kept as a text in <code>{app.dir || "flows"}</code>, served as soon as it is saved, and drawn here.
      </p>
      {off && <p className="notice warn">These flows cannot be changed here.</p>}
      <div className="cards">
        <button className="card" disabled={off || done} onClick={() => void make(hello.file, hello.text)}>
          <Icon name={hello.icon} size={20} />
          <b>{hello.title}</b>
          <span className="soft">{hello.about}</span>
        </button>
        <button className="card" disabled={off} onClick={() => askNew()}>
          <Icon name="plus" size={20} />
          <b>Begin with nothing</b>
          <span className="soft">Name a method and a path; the flow answers at once, and you add to it.</span>
        </button>
      </div>
      <ol className="lessons">
        <li>
          <b>Make a flow.</b> Choose one above.
        </li>
        <li>
          <b>Add steps.</b> Drag a node from the left, or press <kbd>A</kbd> on a step of the canvas.
        </li>
        <li>
          <b>Run it.</b> <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs the text as it is and shows each step’s input, output and time.
        </li>
        <li>
          <b>Save it.</b> <kbd>Ctrl</kbd> <kbd>S</kbd> writes the file, and the endpoint is there.
        </li>
      </ol>
    </div>
  );
}

function Overview({ app }: { app: App }) {
  const { stats, calls } = useCell(live);
  const ends = app.flows.filter((f) => f.triggers.length > 0);
  const all = Object.values(stats);
  const sum = (of: (s: (typeof all)[number]) => number) => all.reduce((n, s) => n + of(s), 0);
  const busiest = all.filter((s) => s.calls > 0).sort((a, b) => b.calls - a.calls).slice(0, 6);
  const mistakes = app.problems.filter((p) => !p.warning);
  const tested = app.flows.filter((f) => f.tests).length;
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>{app.name}</h1>
          <p className="soft">
            {app.dir ? (
              <>
                Flows in <code>{app.dir}</code>
              </>
            ) : (
              "The flows that come with Sluice; they cannot be changed."
            )}
            , Sluice {app.version}
          </p>
        </div>
        <button className="button strong" disabled={!canEdit(app)} onClick={() => askNew()}>
          <Icon name="plus" size={14} />
          New flow
        </button>
      </header>
      <div className="page-body scroll" tabIndex={-1}>
        <dl className="figures">
          <Figure n={String(ends.length)} label="endpoints" to={address("endpoints")} />
          <Figure n={String(app.flows.length - ends.length)} label="node flows" />
          <Figure n={String(tested)} label="with tests" to={address("tests")} />
          <Figure n={count(sum((s) => s.calls))} label="calls lately" />
          <Figure n={sum((s) => s.calls) ? ((100 * sum((s) => s.fails)) / sum((s) => s.calls)).toFixed(1) + "%" : "–"} label="failed" />
          <Figure n={String(mistakes.length)} label={mistakes.length === 1 ? "problem" : "problems"} bad={mistakes.length > 0} />
        </dl>
        {mistakes.length > 0 && (
          <section>
            <h2>{app.served ? "Problems" : "The last good version is served until these are solved"}</h2>
            <ul className="lines">
              {mistakes.slice(0, 30).map((p, i) => (
                <ProblemLine key={i} p={p} />
              ))}
            </ul>
          </section>
        )}
        <div className="columns">
          <section>
            <h2>Busiest</h2>
            {busiest.length === 0 ? (
              <p className="soft">No calls yet.</p>
            ) : (
              <ul className="lines">
                {busiest.map((s) => (
                  <li key={s.file}>
                    <a href={address("flow", s.file)} className="cut grow">
                      {app.flows.find((f) => f.file === s.file)?.name ?? s.file}
                    </a>
                    <span className="mono">{count(s.calls)}</span>
                  </li>
                ))}
              </ul>
            )}
          </section>
          <section>
            <h2>Last failures</h2>
            {calls.filter((c) => c.status >= 400).length === 0 ? (
              <p className="soft">None.</p>
            ) : (
              <ul className="lines">
                {calls
                  .filter((c) => c.status >= 400)
                  .slice(0, 6)
                  .map((c, i) => (
                    <li key={c.id || i}>
                      <span className={"chip " + (c.status < 500 ? "warn" : "bad")}>{c.status}</span>
                      <a href={address("flow", c.file)} className="cut">
                        {c.method} {c.path}
                      </a>
                      <code className="soft cut grow">{c.code}</code>
                    </li>
                  ))}
              </ul>
            )}
          </section>
        </div>
      </div>
    </div>
  );
}

function ProblemLine({ p }: { p: Problem }) {
  return (
    <li>
      <span className="bad-ink">
        <Icon name="error" size={14} />
      </span>
      <a href={address("flow", p.file) + "?at=" + encodeURIComponent(p.place)} className="mono">
        {p.file}:{p.line}
      </a>
      <span className="grow">{p.message}</span>
    </li>
  );
}

function Figure({ n, label, to, bad }: { n: string; label: string; to?: string; bad?: boolean }) {
  return (
    <div className={bad ? "bad-ink" : ""}>
      <dt>{to ? <a href={to}>{label}</a> : label}</dt>
      <dd>{n}</dd>
    </div>
  );
}

