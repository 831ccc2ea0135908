import { useState } from "react";
import { api } from "../api";
import { useCell } from "../cell";
import { Dialog } from "../part/dialog";
import { Icon } from "../part/icon";
import { tell, tellError } from "../part/note";
import { auditOf } from "../route";
import { workspace } from "../workspace";
import { Trail } from "./audit";
import { Sheet, useLoad, when } from "./load";
import { Pager } from "./pager";

interface Key {
  id: string;
  name: string;
  scope: string;
  endpoints?: string[];
  suspended?: boolean;
  creationDtm?: string;
  expiresDtm?: string;
  lastUsedDtm?: string;
}

/** Keys lists the keys of programs. */
export function Keys() {
  const app = useCell(workspace).app;
  const [after, setAfter] = useState<string[]>([]);
  const [adding, add] = useState(false);
  const { got, wrong, again } = useLoad(() => api.command<{ keys: Key[] | null; next?: string }>("key.list", { after: after.at(-1) ?? "", limit: 50 }), [after]);
  const does = async (name: string, input: unknown, said: string) => {
    try {
      await api.command(name, input);
      tell(said, "good");
      again();
    } catch (e) {
      tellError(e);
    }
  };
  return (
    <Sheet
      title="API keys"
      about="Keys of programs. A key is no session: it proves nobody."
      wrong={wrong}
      loading={!got}
      tools={
        <>
          <Trail of={{ kind: "keyCreated", since: "all" }} />
          <button className="button strong" disabled={app?.readOnly} onClick={() => add(true)}>
            <Icon name="plus" size={14} />
            Make a key
          </button>
        </>
      }
    >
      {got && !got.keys?.length ? (
        <div className="empty">
          <Icon name="apikey" size={24} />
          <p>There are no keys yet.</p>
        </div>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>Name</th>
              <th>Scope</th>
              <th>State</th>
              <th>Made</th>
              <th>Ends</th>
              <th>
                <span className="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {got?.keys?.map((k) => (
              <tr key={k.id}>
                <td>{k.name}</td>
                <td>
                  <span className="chip">{k.scope}</span> <span className="mono soft">{(k.endpoints ?? []).join(", ")}</span>
                </td>
                <td>{k.suspended ? <span className="chip warn">suspended</span> : <span className="chip good">good</span>}</td>
                <td className="soft">{when(k.creationDtm)}</td>
                <td className="soft">{when(k.expiresDtm) || "never"}</td>
                <td className="row tight">
                  <a className="button plain small" aria-label={`What was done with ${k.name}`} href={auditOf({ user: k.id, since: "all" })}>
                    Trail
                  </a>
                  <button className="button small" disabled={app?.readOnly} aria-label={`${k.suspended ? "Resume" : "Suspend"} ${k.name}`} onClick={() => void does("key.change", { id: k.id, suspended: !k.suspended }, k.suspended ? "The key is good again." : "The key is refused from now on.")}>
                    {k.suspended ? "Resume" : "Suspend"}
                  </button>
                  <button className="button small bad" disabled={app?.readOnly} aria-label={`End ${k.name}`} onClick={() => void does("key.end", { id: k.id }, "The key is gone for good.")}>
                    End
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager back={after.length > 0 ? () => setAfter(after.slice(0, -1)) : undefined} on={got?.next ? () => setAfter([...after, got.next ?? ""]) : undefined} />
      {adding && (
        <Make
          close={() => {
            add(false);
            again();
          }}
        />
      )}
    </Sheet>
  );
}

function Make({ close }: { close: () => void }) {
  const app = useCell(workspace).app;
  const [name, setName] = useState("");
  const [scope, setScope] = useState("full");
  const [ends, setEnds] = useState<string[]>([]);
  const [days, setDays] = useState("90");
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState("");
  const endpoints = (app?.flows ?? []).filter((f) => f.apiKey === "required" || f.apiKey === "optional").flatMap((f) => f.triggers.map((t) => `${t.method} ${t.path}`));
  const make = async () => {
    setWrong("");
    try {
      const expires = days === "" ? {} : { expires: new Date(Date.now() + Number(days) * 86_400_000).toISOString() };
      const got = await api.command<{ key?: string; token?: string; secret?: string }>("key.add", { name, scope, ...(scope === "only" || scope === "except" ? { endpoints: ends } : {}), ...expires });
      setKey(got.key ?? got.token ?? got.secret ?? "");
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <Dialog
      title="Make an API key"
      close={close}
      footer={
        key ? (
          <>
            <span className="grow" />
            <button className="button strong" onClick={close}>
              I have it
            </button>
          </>
        ) : (
          <>
            <span className="grow" />
            <button className="button" onClick={close}>
              Cancel
            </button>
            <button className="button strong" disabled={!name} onClick={() => void make()}>
              Make it
            </button>
          </>
        )
      }
    >
      {key ? (
        <div className="stack">
          <p className="notice warn">This is the only time that the key is shown.</p>
          <div className="row">
            <code className="secret-shown grow">{key}</code>
            <button
              className="button"
              onClick={() =>
                void navigator.clipboard.writeText(key).then(
                  () => tell("Copied.", "good"),
                  () => tell("The browser does not let the page copy. Mark the key and copy it.", "bad"),
                )
              }
            >
              <Icon name="copy" size={14} />
              Copy
            </button>
          </div>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            void make();
          }}
        >
          {wrong && (
            <p className="notice bad" role="alert">
              {wrong}
            </p>
          )}
          <div className="field">
            <label htmlFor="k-name">Name</label>
            <input id="k-name" data-first className="input" placeholder="nightly import" value={name} onChange={(e) => setName(e.target.value)} />
          </div>
          <div className="field">
            <label htmlFor="k-scope">May call</label>
            <select id="k-scope" className="input" value={scope} onChange={(e) => setScope(e.target.value)}>
              <option value="full">all endpoints that take keys</option>
              <option value="readOnly">those with GET</option>
              <option value="only">only these…</option>
              <option value="except">all but these…</option>
            </select>
          </div>
          {(scope === "only" || scope === "except") && (
            <fieldset className="run-part">
              <legend>Endpoints that take keys</legend>
              {endpoints.length === 0 && <p className="soft">No endpoint takes keys.</p>}
              {endpoints.map((e) => (
                <label key={e} className="row check mono">
                  <input type="checkbox" checked={ends.includes(e)} onChange={(x) => setEnds(x.target.checked ? [...ends, e] : ends.filter((o) => o !== e))} />
                  {e}
                </label>
              ))}
            </fieldset>
          )}
          <div className="field">
            <label htmlFor="k-days">Ends after days</label>
            <input id="k-days" className="input" type="number" min="1" placeholder="never" value={days} onChange={(e) => setDays(e.target.value)} />
          </div>
        </form>
      )}
    </Dialog>
  );
}
