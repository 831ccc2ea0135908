import { lazy, Suspense, useEffect, useState } from "react";
import { online, locked } from "./api";
import { Ghost } from "./canvas/drag";
import { Picker } from "./canvas/palette";
import { useCell } from "./cell";
import { help, listen, nextTheme } from "./commands";
import { Conflict } from "./conflict";
import { closeDesk } from "./desk";
import { Files } from "./files";
import { FlowView } from "./flow";
import { theme, tree, treeWide } from "./layout";
import { follow } from "./live";
import { Grip } from "./part/grip";
import { Icon } from "./part/icon";
import { Menus } from "./part/menu";
import { Notes } from "./part/note";
import { Tips } from "./part/tip";
import { Quick, quick } from "./quick";
import { address, useRoute } from "./route";
import { Shortcuts } from "./shortcuts";
import { SignIn } from "./signin";
import { Tree } from "./tree";
import { refresh, workspace } from "./workspace";

const Page = lazy(() => import("./pages/page"));

const pages = [
  { page: "endpoints", label: "Endpoints", icon: "table" },
  { page: "reference", label: "Reference", icon: "book" },
  { page: "tests", label: "Tests", icon: "beaker" },
  { page: "users", label: "Users", icon: "user" },
  { page: "keys", label: "Keys", icon: "apikey" },
  { page: "audit", label: "Audit", icon: "audit" },
  { page: "mailbox", label: "Mail", icon: "mail" },
];

/** Shell is the frame around everything. */
export function Shell() {
  const { access, app, wrong } = useCell(workspace);
  const shut = useCell(locked);
  const here = useRoute();
  const showTree = useCell(tree);
  const wide = useCell(treeWide);
  useEffect(() => {
    void refresh();
    return listen();
  }, []);
  const ready = app !== null;
  useEffect(() => (ready ? follow() : undefined), [ready]);
  useEffect(() => {
    if (here.page !== "flow") closeDesk();
    const what = here.page === "flow" ? here.rest : (pages.find((p) => p.page === here.page)?.label ?? "");
    document.title = (what ? what + " · " : "") + (access?.name ? access.name + " · " : "") + "Sluice studio";
  }, [here, access]);
  if (shut && access) return <SignIn access={access} />;
  if (!app) {
    return (
      <main className="starting">
        <Mark />
        <p role="status">{wrong || "Opening the studio…"}</p>
        {wrong && (
          <button className="button" onClick={() => void refresh()}>
            Try again
          </button>
        )}
      </main>
    );
  }
  return (
    <div className="shell">
      <Top />
      <div className="middle">
        {showTree && (
          <nav className="left" style={{ width: wide }} aria-label="Flows and nodes">
            <Tree />
            <Grip cell={treeWide} least={180} most={480} label="Width of the flows" />
          </nav>
        )}
        <main className="main">
          {here.page === "flow" ? (
            <FlowView file={here.rest} />
          ) : (
            <Suspense fallback={<p className="empty">Loading…</p>}>
              <Page page={here.page} rest={here.rest} query={here.query} />
            </Suspense>
          )}
        </main>
      </div>
      <Picker />
      <Menus />
      <Quick />
      <Files />
      <Conflict />
      <Shortcuts />
      <Ghost />
      <Notes />
      <Tips />
    </div>
  );
}

function Mark() {
  return (
    <svg className="mark" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 7v18M23 7v18M9 13h14M9 19h14M16 7v6M16 19v6" />
    </svg>
  );
}

function Top() {
  const { app, access } = useCell(workspace);
  const here = useRoute();
  const up = useCell(online);
  const look = useCell(theme);
  const [menu, setMenu] = useState(false);
  useEffect(() => setMenu(false), [here]);
  return (
    <header className="top">
      <button className="button plain square" aria-label="Show or hide the flows" aria-pressed={useCell(tree)} data-tip="Flows and nodes" data-keys="Ctrl B" data-tip-side="below" onClick={() => tree.change((t) => !t)}>
        <Icon name="menu" />
      </button>
      <a className="brand" href={address("")} data-tip="First page" data-tip-side="below">
        <Mark />
        <b className="cut">{access?.name || "Sluice"}</b>
      </a>
      {app?.mode === "production" && <span className="chip warn">production</span>}
      {app?.readOnly && <span className="chip accent">read only</span>}
      {app && !app.served && (
        <a className="chip bad" href={address("")} data-tip="A mistake keeps the last good version in service" data-tip-side="below">
          last good version served
        </a>
      )}
      {!up && <span className="chip bad">server away</span>}
      <span className="grow" />
      <button className="quick-open" onClick={() => quick.set("")}>
        <Icon name="search" size={14} />
        <span className="grow">Go to…</span>
        <kbd>Ctrl P</kbd>
      </button>
      <nav className={"pages" + (menu ? " open" : "")} aria-label="Pages">
        {pages
          .filter((p) => p.page !== "mailbox" || app?.mail)
          .map((p) => (
            <a key={p.page} href={address(p.page)} aria-current={here.page === p.page ? "page" : undefined}>
              <Icon name={p.icon} size={14} />
              {p.label}
            </a>
          ))}
      </nav>
      <button className="button plain square pages-button" aria-label="Pages" aria-expanded={menu} onClick={() => setMenu(!menu)}>
        <Icon name="more" />
      </button>
      <button className="button plain square" aria-label={`Theme: ${look}. Change it`} data-tip={`Theme: ${look}`} data-tip-side="below" onClick={nextTheme}>
        <Icon name={look === "dark" ? "moon" : look === "light" ? "sun" : "system"} />
      </button>
      <button className="button plain square" aria-label="Keyboard shortcuts" data-tip="Keyboard shortcuts" data-keys="?" data-tip-side="below" onClick={() => help.set(true)}>
        <Icon name="keyboard" />
      </button>
    </header>
  );
}
