import { useState } from "react";
import { api } from "./api";
import { cell, useCell } from "./cell";
import { begin, desk, save } from "./desk";
import { keepDraft } from "./draft";
import { Dialog } from "./part/dialog";
import { tell, tellError } from "./part/note";
import { address, go } from "./route";
import { refresh, workspace } from "./workspace";

type Ask = { kind: "new"; folder: string } | { kind: "rename"; file: string } | { kind: "remove"; file: string };

const asked = cell<Ask | null>(null);

export const askNew = (folder = "") => asked.set({ kind: "new", folder });
export const askRename = (file: string) => asked.set({ kind: "rename", file });
export const removeFlow = (file: string) => asked.set({ kind: "remove", file });

/** Files asks what a new flow is called, or where one moves. */
export function Files() {
  const ask = useCell(asked);
  const close = () => asked.set(null);
  if (!ask) return null;
  if (ask.kind === "new") return <New folder={ask.folder} close={close} />;
  if (ask.kind === "rename") return <Rename file={ask.file} close={close} />;
  return <Remove file={ask.file} close={close} />;
}

/** template is the text that a new flow begins with: it answers, so that it loads. */
export function template(method: string, path: string, session: string, about: string): string {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
  const input = params.length > 0 ? `\ninput:\n  path:\n${params.map((p) => `    ${p}: {type: string, maxLength: 100}`).join("\n")}\n` : "";
  const body = params.length > 0 ? `{${params.map((p) => `${p}: $path.${p}`).join(", ")}}` : "{ok: true}";
  return `about: ${/[:#"'{}[\]]/.test(about) ? JSON.stringify(about) : about}\nendpoint: ${method} ${path}\nsession: ${session}\n${input}\nsteps:\n  - respond: 200\n    body: ${body}\n`;
}

function New({ folder, close }: { folder: string; close: () => void }) {
  const app = useCell(workspace).app;
  const [method, setMethod] = useState("GET");
  const [path, setPath] = useState("/" + folder);
  const [session, setSession] = useState("required");
  const [about, setAbout] = useState("");
  const [name, setName] = useState<string | null>(null);
  const guessed = (folder + path.slice(1).replace(new RegExp("^" + folder), "")).replaceAll(/[{}]/g, "").replace(/\/+$/, "") || "hello";
  const file = (name ?? guessed).replace(/\.yaml$/, "") + ".yaml";
  const taken = app?.flows.some((f) => f.file === file);
  const served = app?.flows.find((f) => f.triggers.some((t) => t.method === method && t.path === path));
  const bad = !/^[\w./-]+$/.test(file) ? "A file name has letters, digits, - and _." : taken ? "There is such a file." : served ? `${method} ${path} is ${served.file} already.` : !/^\/[^\s]*$/.test(path) ? "A path begins with /." : "";
  const make = async () => {
    if (bad) return;
    close();
    await begin(file, template(method, path, session, about.trim() || "Say what this endpoint is for."));
    go(address("flow", file));
    await save("");
  };
  return (
    <Dialog
      title="New flow"
      close={close}
      footer={
        <>
          <span className="bad-ink grow">{path !== "/" + folder && bad}</span>
          <button className="button" onClick={close}>
            Cancel
          </button>
          <button className="button strong" disabled={!!bad} onClick={() => void make()}>
            Make it
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
        <div className="field">
          <label htmlFor="new-path">Endpoint</label>
          <div className="row tight">
            <select className="input method-pick" aria-label="Method" value={method} onChange={(e) => setMethod(e.target.value)}>
              {["GET", "POST", "PUT", "PATCH", "DELETE"].map((m) => (
                <option key={m}>{m}</option>
              ))}
            </select>
            <input id="new-path" data-first className="input mono" value={path} placeholder="/hello/{name}" onChange={(e) => setPath(e.target.value)} />
          </div>
        </div>
        <div className="field">
          <label htmlFor="new-about">About</label>
          <input id="new-about" className="input" value={about} placeholder="Greet callers by their name." onChange={(e) => setAbout(e.target.value)} />
        </div>
        <div className="field">
          <span className="legend" id="new-session">
            Session
          </span>
          <div className="segments" role="radiogroup" aria-labelledby="new-session">
            {["required", "optional", "none"].map((m) => (
              <button type="button" key={m} role="radio" aria-checked={session === m} onClick={() => setSession(m)}>
                {m}
              </button>
            ))}
          </div>
          <p className="note">{session === "none" ? "Everybody can call it." : session === "optional" ? "Callers may be signed in." : "Only callers who are signed in."}</p>
        </div>
        <div className="field">
          <label htmlFor="new-file">File</label>
          <input id="new-file" className="input mono" value={name ?? guessed + ".yaml"} onChange={(e) => setName(e.target.value)} />
        </div>
        <button className="hidden" type="submit" tabIndex={-1}>
          Make it
        </button>
      </form>
    </Dialog>
  );
}

function Rename({ file, close }: { file: string; close: () => void }) {
  const [to, setTo] = useState(file);
  const move = async () => {
    try {
      const revision = desk.get().file === file ? desk.get().revision : (await api.flow(file)).revision;
      const saved = await api.rename(file, to, revision);
      close();
      await refresh();
      tell(`It is ${saved.file} now.`, "good");
      if (desk.get().file === file) go(address("flow", saved.file), true);
    } catch (e) {
      tellError(e);
    }
  };
  return (
    <Dialog
      title="Rename or move"
      close={close}
      footer={
        <>
          <span className="soft grow">Its tests move with it.</span>
          <button className="button strong" disabled={to === file || !to.endsWith(".yaml")} onClick={() => void move()}>
            Move
          </button>
        </>
      }
    >
      <div className="field">
        <label htmlFor="move-to">File</label>
        <input id="move-to" data-first className="input mono" value={to} onChange={(e) => setTo(e.target.value)} onKeyDown={(e) => e.key === "Enter" && void move()} />
      </div>
    </Dialog>
  );
}

function Remove({ file, close }: { file: string; close: () => void }) {
  const remove = async () => {
    try {
      const { revision } = await api.flow(file);
      await api.remove(file, revision);
      keepDraft(file, null);
      close();
      tell(`${file} is gone.`, "good");
      if (desk.get().file === file) go(address(""), true);
      await refresh();
    } catch (e) {
      tellError(e);
    }
  };
  return (
    <Dialog
      title={`Delete ${file}?`}
      close={close}
      footer={
        <>
          <span className="grow" />
          <button className="button" data-first onClick={close}>
            Keep it
          </button>
          <button className="button bad" onClick={() => void remove()}>
            Delete the file
          </button>
        </>
      }
    >
      <p>Its endpoint is not served any more. The studio cannot bring it back; your version control can.</p>
    </Dialog>
  );
}
