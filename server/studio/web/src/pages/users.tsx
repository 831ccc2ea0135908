import { useState } from "react";
import { api } from "../api";
import { useCell } from "../cell";
import { Dialog } from "../part/dialog";
import { Icon } from "../part/icon";
import { tell, tellError } from "../part/note";
import { address, go } from "../route";
import { workspace } from "../workspace";
import { Trail } from "./audit";
import { Sheet, useLoad, when } from "./load";
import { Pager } from "./pager";

interface User {
  id: string;
  email: string;
  name?: string;
  emailVerified?: boolean;
  disabled?: boolean;
  groups?: string[];
  creationDtm?: string;
}

interface Session {
  id: string;
  creationDtm: string;
  lastSeenDtm: string;
  expiresDtm: string;
  ip: string;
  accessGroupKeys: string[] | null;
  impersonatedBy?: { userId: string; reason: string };
  userAgent?: { family?: string; major?: string; os?: { family?: string } };
}

/** Users lists users, newest first; one of them with its sessions. */
export function Users({ id }: { id: string }) {
  return id ? <One id={id} /> : <All />;
}

const pageSize = 50;

function All() {
  const app = useCell(workspace).app;
  const [after, setAfter] = useState<string[]>([]);
  const [word, setWord] = useState("");
  const [adding, add] = useState(false);
  const { got, wrong, again } = useLoad(() => api.command<{ users: User[] | null; next?: string }>("user.list", { after: after.at(-1) ?? "", limit: pageSize }), [after]);
  const show = async () => {
    try {
      const u = await api.command<User>("user.show", { user: word.trim() });
      go(address("users", u.id));
    } catch (e) {
      tellError(e);
    }
  };
  return (
    <Sheet
      title="Users"
      about="Newest first"
      wrong={wrong}
      loading={!got}
      tools={
        <>
          <form
            className="search wide"
            onSubmit={(e) => {
              e.preventDefault();
              if (word.trim()) void show();
            }}
          >
            <Icon name="search" size={14} />
            <input aria-label="Find a user" placeholder="E-mail address or id" value={word} onChange={(e) => setWord(e.target.value)} />
          </form>
          <Trail of={{ kind: "userCreated", since: "all" }} />
          <button className="button strong" disabled={app?.readOnly} onClick={() => add(true)}>
            <Icon name="plus" size={14} />
            Add a user
          </button>
        </>
      }
    >
      {got && !got.users?.length ? (
        <div className="empty">
          <Icon name="user" size={24} />
          <p>There are no users yet. They sign up through your flows, or you add one.</p>
        </div>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>E-mail</th>
              <th>Name</th>
              <th>Groups</th>
              <th>State</th>
              <th>Since</th>
            </tr>
          </thead>
          <tbody>
            {got?.users?.map((u) => (
              <tr key={u.id}>
                <td>
                  <a href={address("users", u.id)}>{u.email || u.id}</a>
                </td>
                <td>{u.name}</td>
                <td>{(u.groups ?? []).map((g) => <Chip key={g} text={g} />)}</td>
                <td>{u.disabled ? <span className="chip bad">disabled</span> : u.emailVerified ? <span className="chip good">verified</span> : <span className="chip">unverified</span>}</td>
                <td className="soft">{when(u.creationDtm)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager back={after.length > 0 ? () => setAfter(after.slice(0, -1)) : undefined} on={got?.next ? () => setAfter([...after, got.next ?? ""]) : undefined} />
      {adding && (
        <Add
          close={() => {
            add(false);
            again();
          }}
        />
      )}
    </Sheet>
  );
}

const Chip = ({ text }: { text: string }) => <span className="chip accent">{text}</span>;

function Add({ close }: { close: () => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [groups, setGroups] = useState("");
  const [wrong, setWrong] = useState("");
  const make = async () => {
    setWrong("");
    try {
      await api.command("user.add", { email, password, ...(name ? { name } : {}), ...(groups.trim() ? { groups: groups.split(/[\s,]+/).filter(Boolean) } : {}) });
      tell(`${email} is there.`, "good");
      close();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <Dialog
      title="Add a user"
      close={close}
      footer={
        <>
          <span className="grow" />
          <button className="button" onClick={close}>
            Cancel
          </button>
          <button className="button strong" disabled={!email || !password} onClick={() => void make()}>
            Add
          </button>
        </>
      }
    >
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
          <label htmlFor="u-email">E-mail</label>
          <input id="u-email" data-first className="input" type="email" autoComplete="off" value={email} onChange={(e) => setEmail(e.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="u-name">Name</label>
          <input id="u-name" className="input" value={name} onChange={(e) => setName(e.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="u-password">Password</label>
          <input id="u-password" className="input" type="password" autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="u-groups">Groups</label>
          <input id="u-groups" className="input" placeholder="admin, beta" value={groups} onChange={(e) => setGroups(e.target.value)} />
        </div>
        <button className="hidden" type="submit" tabIndex={-1}>
          Add
        </button>
      </form>
    </Dialog>
  );
}

function One({ id }: { id: string }) {
  const app = useCell(workspace).app;
  const user = useLoad(() => api.command<User & { sessions: number }>("user.show", { user: id }), [id]);
  const sessions = useLoad(() => api.command<{ sessions: Session[] | null; next?: string }>("session.list", { user: id, limit: 200 }), [id]);
  const u = user.got;
  const off = app?.readOnly;
  const does = async (name: string, input: unknown, said: string) => {
    try {
      await api.command(name, input);
      tell(said, "good");
      user.again();
      sessions.again();
    } catch (e) {
      tellError(e);
    }
  };
  const [groups, setGroups] = useState<string | null>(null);
  return (
    <Sheet
      title={u?.email ?? "User"}
      about={u ? `${u.name ? u.name + ", " : ""}since ${when(u.creationDtm)}` : ""}
      wrong={user.wrong}
      loading={!u}
      tools={
        u && (
          <>
            <a className="button plain" href={address("users")}>
              All users
            </a>
            <Trail of={{ user: id, since: "all" }} />
            <button className="button" disabled={off} onClick={() => void does("user.change", { user: id, disabled: !u.disabled }, u.disabled ? "The user may sign in again." : "The user is shut out, and all sessions have ended.")}>
              {u.disabled ? "Enable" : "Disable"}
            </button>
            <button className="button bad" disabled={off || !sessions.got?.sessions?.length} onClick={() => void does("session.end", { user: id, all: true }, "All sessions of the user have ended.")}>
              End all sessions
            </button>
          </>
        )
      }
    >
      {u && (
        <>
          <dl className="facts">
            <div>
              <dt>Id</dt>
              <dd className="mono">{u.id}</dd>
            </div>
            <div>
              <dt>State</dt>
              <dd>
                {u.disabled ? <span className="chip bad">disabled</span> : <span className="chip good">enabled</span>} <span className={"chip " + (u.emailVerified ? "good" : "")}>{u.emailVerified ? "address verified" : "address not verified"}</span>
              </dd>
            </div>
            <div>
              <dt>
                <label htmlFor="groups-of">Groups</label>
              </dt>
              <dd className="row">
                <input id="groups-of" className="input" disabled={off} value={groups ?? (u.groups ?? []).join(", ")} onChange={(e) => setGroups(e.target.value)} />
                <button
                  className="button"
                  disabled={groups === null || off}
                  onClick={() => {
                    void does("user.change", { user: id, groups: (groups ?? "").split(/[\s,]+/).filter(Boolean) }, "The groups are set, and all sessions have ended.");
                    setGroups(null);
                  }}
                >
                  Set
                </button>
              </dd>
            </div>
          </dl>
          <h2>Sessions</h2>
          {sessions.wrong && <p className="notice bad">{sessions.wrong}</p>}
          {sessions.got && !sessions.got.sessions?.length ? (
            <p className="soft">The user has no session.</p>
          ) : (
            <table className="table">
              <thead>
                <tr>
                  <th>Device</th>
                  <th>Address</th>
                  <th>Groups</th>
                  <th>Began</th>
                  <th>Last seen</th>
                  <th>Ends</th>
                  <th>
                    <span className="hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {sessions.got?.sessions?.map((s) => (
                  <tr key={s.id}>
                    <td>
                      {[s.userAgent?.family, s.userAgent?.os?.family].filter((f) => f && f !== "Other").join(", ") || "unknown"}
                      {s.impersonatedBy && <span className="chip warn">acting: {s.impersonatedBy.reason}</span>}
                    </td>
                    <td className="mono">{s.ip}</td>
                    <td>{(s.accessGroupKeys ?? []).map((g) => <Chip key={g} text={g} />)}</td>
                    <td className="soft">{when(s.creationDtm)}</td>
                    <td className="soft">{when(s.lastSeenDtm)}</td>
                    <td className="soft">{when(s.expiresDtm)}</td>
                    <td>
                      <button className="button small bad" disabled={off} aria-label={`End the session from ${s.ip}`} onClick={() => void does("session.end", { user: id, id: s.id }, "The session has ended.")}>
                        End
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
    </Sheet>
  );
}
