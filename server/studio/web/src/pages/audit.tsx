import { Fragment, useEffect, useState } from "react";
import { api } from "../api";
import { useCell } from "../cell";
import { Icon } from "../part/icon";
import { tellError } from "../part/note";
import { auditOf, go } from "../route";
import { workspace } from "../workspace";
import { Sheet, useLoad, when } from "./load";
import { Pager } from "./pager";

/** A Head is an event by which a chain is known apart from the log. */
interface Head {
  chain: string;
  seq: number;
  seal: string;
  at: string;
}

interface Event extends Head {
  id: string;
  kind: string;
  actor: string;
  subject: string;
  sessionId: string;
  ip: string;
  userAgent: string;
  requestId: string;
  flow: string;
  outcome: string;
  details?: Record<string, string>;
  key: string; // that sealed it; "" for none
}

interface Report {
  chains: Head[] | null;
  events: number;
  unkeyed: number;
  flaws: { chain: string; seq: number; what: string }[] | null;
  anchors: number;
}

const pageSize = 50;
const hour = 3_600_000;
const spans: Record<string, [label: string, ms: number]> = {
  hour: ["the last hour", hour],
  day: ["the last day", 24 * hour],
  week: ["the last week", 7 * 24 * hour],
  month: ["the last 30 days", 30 * 24 * hour],
  all: ["all there is", 0],
};

/** Audit lists what matters for security, as the filters in the address say. */
export function Audit({ query }: { query: URLSearchParams }) {
  const kinds = useCell(workspace).app?.auditKinds ?? [];
  const [user, kind, span] = [query.get("user") ?? "", query.get("kind") ?? "", query.get("since") ?? "day"];
  const [after, setAfter] = useState<Head[]>([]);
  const [typed, type] = useState(user);
  useEffect(() => {
    setAfter([]);
    type(user);
  }, [user, kind, span]);
  const { got, wrong, again } = useLoad(() => {
    const ms = spans[span]?.[1] ?? 0;
    const last = after.at(-1);
    return api.command<{ events: Event[] }>("audit.list", {
      ...(user ? { user } : {}),
      ...(kind ? { kinds: [kind] } : {}),
      ...(ms ? { since: new Date(Date.now() - ms).toISOString() } : {}),
      ...(last ? { after: { chain: last.chain, seq: last.seq, seal: last.seal, at: last.at } } : {}),
      limit: pageSize + 1, // one more tells whether there is a next page
    });
  }, [user, kind, span, after]);
  const filter = (change: Record<string, string>) => {
    const next = { user, kind, since: span === "day" ? "" : span, ...change };
    go(auditOf(Object.fromEntries(Object.entries(next).filter(([, v]) => v))));
  };
  const events = got?.events.slice(0, pageSize) ?? [];
  const last = events.at(-1);
  return (
    <Sheet
      title="Audit log"
      about="Who did what, the oldest first"
      wrong={wrong}
      loading={!got}
      tools={
        <>
          <form
            className="search wide"
            onSubmit={(e) => {
              e.preventDefault();
              filter({ user: typed.trim() });
            }}
          >
            <Icon name="user" size={14} />
            <input aria-label="Who did it, or had it done" placeholder="E-mail address or id" value={typed} onChange={(e) => type(e.target.value)} />
            {user && (
              <button type="button" className="button plain square small" aria-label="Show what everybody did" onClick={() => filter({ user: "" })}>
                <Icon name="close" size={12} />
              </button>
            )}
          </form>
          <select className="input" aria-label="Kind of event" value={kind} onChange={(e) => filter({ kind: e.target.value })}>
            <option value="">all kinds</option>
            {kinds.map((k) => (
              <option key={k}>{k}</option>
            ))}
          </select>
          <select className="input" aria-label="Since when" value={span in spans ? span : "all"} onChange={(e) => filter({ since: e.target.value === "day" ? "" : e.target.value })}>
            {Object.entries(spans).map(([name, [label]]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
          <button className="button square" aria-label="Look again" data-tip="Look again" data-tip-side="below" onClick={again}>
            <Icon name="refresh" size={14} />
          </button>
        </>
      }
    >
      <Verify />
      {events.length === 0 ? (
        <div className="empty">
          <Icon name="audit" size={24} />
          <p>{after.length > 0 ? "Nothing more has happened." : "Nothing of this kind has happened in this time."}</p>
        </div>
      ) : (
        <Table events={events} />
      )}
      <Pager
        words={["Earlier", "Later"]}
        back={after.length > 0 ? () => setAfter(after.slice(0, -1)) : undefined}
        on={last && (got?.events.length ?? 0) > pageSize ? () => setAfter([...after, last]) : undefined}
      />
    </Sheet>
  );
}

const columns = ["When", "What", "Who", "To whom or what", "From", "Outcome"];

function Table({ events }: { events: Event[] }) {
  const [open, setOpen] = useState("");
  return (
    <table className="table audit">
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c}>{c}</th>
          ))}
          <th>
            <span className="hidden">Details</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {events.map((e) => (
          <Fragment key={e.id}>
            <tr>
              <td className="soft" title={e.at}>
                {when(e.at)}
              </td>
              <td>
                <b>{e.kind}</b> <span className="soft">{e.details?.what ?? e.details?.reason ?? ""}</span>
              </td>
              <td>
                <Name id={e.actor} />
              </td>
              <td>{e.subject && e.subject === e.actor ? <span className="soft">the same</span> : <Name id={e.subject} />}</td>
              <td className="mono soft">{e.ip}</td>
              <td>
                <span className={"chip " + (e.outcome === "ok" ? "good" : "warn")}>{e.outcome}</span>
              </td>
              <td>
                <button className="button plain square small" aria-expanded={open === e.id} aria-label={`Details of ${e.id}`} onClick={() => setOpen(open === e.id ? "" : e.id)}>
                  <Icon name={open === e.id ? "down" : "right"} size={12} />
                </button>
              </td>
            </tr>
            {open === e.id && (
              <tr>
                <td colSpan={columns.length + 1}>
                  <Facts event={e} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

/** Name is somebody or something; it leads to all events of it. */
function Name({ id }: { id: string }) {
  return id ? (
    <a className="mono" href={auditOf({ user: id, since: "all" })} title={id}>
      {id.length > 20 ? "…" + id.slice(-12) : id}
    </a>
  ) : null;
}

function Facts({ event: e }: { event: Event }) {
  const facts: [string, string][] = [
    ["Id", e.id],
    ["Time", e.at],
    ["Who", e.actor],
    ["To", e.subject],
    ["Session", e.sessionId],
    ["Flow", e.flow],
    ["Request", e.requestId],
    ["Browser", e.userAgent],
    ...Object.entries(e.details ?? {}),
    ["Seal", e.seal],
    ["Key", e.key || "none: it was sealed without one"],
  ];
  return (
    <dl className="facts">
      {facts
        .filter(([, v]) => v)
        .map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd className="mono">{v}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Verify goes along the chains and tells what is wrong with them. */
function Verify() {
  const [report, setReport] = useState<Report | null>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    try {
      setReport(await api.command<Report>("audit.verify", {}));
    } catch (e) {
      tellError(e);
    } finally {
      setBusy(false);
    }
  };
  const flaws = report?.flaws ?? [];
  return (
    <div className="verify stack">
      <div className="row">
        <button className="button" disabled={busy} onClick={() => void verify()}>
          <Icon name="check" size={14} />
          {busy ? "Verifying…" : "Verify the chain"}
        </button>
        {!report && <span className="soft">Each event seals the one before it, so that none can be changed or taken out unseen.</span>}
        {report && flaws.length === 0 && (
          <p className="notice good grow" role="status">
            All {report.events} events are as they were written.
          </p>
        )}
        {flaws.length > 0 && (
          <p className="notice bad grow" role="alert">
            {flaws.length === 1 ? "One thing is" : `${flaws.length} things are`} wrong with the log.
          </p>
        )}
      </div>
      {flaws.length > 0 && (
        <ul className="lines">
          {flaws.map((f, i) => (
            <li key={i}>
              <code>
                {f.chain}:{f.seq}
              </code>
              {f.what}
            </li>
          ))}
        </ul>
      )}
      {report && report.unkeyed > 0 && <p className="notice warn">{report.unkeyed} of them are sealed without a key, so that whoever can write to the store can forge them.</p>}
      {report && report.chains && report.chains.length > 0 && (
        <details>
          <summary>The ends of the chains</summary>
          <p className="soft">Kept somewhere else, they tell later whether an end was cut off.</p>
          <pre className="secret-shown mono">{JSON.stringify(report.chains, null, 2)}</pre>
        </details>
      )}
    </div>
  );
}

/** Trail is a link to the log of somebody or something. */
export function Trail({ of }: { of: Record<string, string> }) {
  return (
    <a className="button plain" href={auditOf(of)}>
      <Icon name="audit" size={14} />
      Audit log
    </a>
  );
}
