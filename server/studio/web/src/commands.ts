import { cell } from "./cell";
import { desk, dirty, format, redo, revert, save, settled, undo } from "./desk";
import { askNew } from "./files";
import { drawer, drawerTab, panel, side, theme, tree, treeTab } from "./layout";
import { quick } from "./quick";
import { address, go } from "./route";
import { shown, start, stepTo } from "./run";
import { canEdit, workspace } from "./workspace";

/** A Command is something that keys and the quick box do. */
export interface Command {
  label: string;
  group: string;
  keys?: string; // as shown
  on?: (e: KeyboardEvent) => boolean; // the keys
  icon?: string;
  act: () => void;
}

/** Whether the list of shortcuts is shown. */
export const help = cell(false);

const ctrl = (e: KeyboardEvent, key: string, shift = false) => (e.ctrlKey || e.metaKey) && !e.altKey && e.shiftKey === shift && e.key.toLowerCase() === key;
const alt = (e: KeyboardEvent, key: string) => e.altKey && !e.ctrlKey && !e.metaKey && (e.key === key || e.code === "Digit" + key);

function showDrawer(tab: "run" | "problems" | "live") {
  drawer.set(true);
  drawerTab.set(tab);
}

function showSide(tab: "form" | "text") {
  panel.set(true);
  side.set(tab);
}

const themes = { system: "light", light: "dark", dark: "system" } as const;
export const nextTheme = () => theme.set(themes[theme.get()]);

/** commands lists all of them; those that need a flow are there only with one. */
export function commands(): Command[] {
  const d = desk.get();
  const open = d.file !== "";
  const edits = open && canEdit(workspace.get().app);
  const page = (name: string, label: string, icon: string): Command => ({ label, group: "Go to", icon, act: () => go(address(name)) });
  return [
    ...(open
      ? ([
          { label: "Run", group: "Run", keys: "Ctrl Enter", icon: "play", on: (e) => ctrl(e, "enter"), act: () => (showDrawer("run"), void start()) },
          { label: "Step forward", group: "Run", keys: "F10", icon: "forward", on: (e) => e.key === "F10" && !e.shiftKey, act: () => stepTo((shown.get()?.at ?? 0) + 1) },
          { label: "Step back", group: "Run", keys: "Shift F10", icon: "back", on: (e) => e.key === "F10" && e.shiftKey, act: () => stepTo((shown.get()?.at ?? 0) - 1) },
          { label: "Show the form", group: "View", keys: "Alt 1", icon: "edit", on: (e) => alt(e, "1"), act: () => showSide("form") },
          { label: "Show the text", group: "View", keys: "Alt 2", icon: "code", on: (e) => alt(e, "2"), act: () => showSide("text") },
          { label: "Show Run", group: "View", keys: "Alt 3", icon: "play", on: (e) => alt(e, "3"), act: () => showDrawer("run") },
          { label: "Show Problems", group: "View", keys: "Alt 4", icon: "warning", on: (e) => alt(e, "4"), act: () => showDrawer("problems") },
          { label: "Show Live", group: "View", keys: "Alt 5", icon: "live", on: (e) => alt(e, "5"), act: () => showDrawer("live") },
          { label: "Focus the canvas", group: "View", keys: "Alt 0", icon: "flow", on: (e) => alt(e, "0"), act: focusCanvas },
        ] satisfies Command[])
      : []),
    ...(edits
      ? ([
          { label: "Save", group: "Edit", keys: "Ctrl S", icon: "save", on: (e) => ctrl(e, "s"), act: () => void settled().then(() => dirty(desk.get()) && save()) },
          { label: "Undo", group: "Edit", keys: "Ctrl Z", icon: "undo", on: (e) => ctrl(e, "z"), act: undo },
          { label: "Redo", group: "Edit", keys: "Ctrl Shift Z", icon: "redo", on: (e) => ctrl(e, "z", true) || ctrl(e, "y"), act: redo },
          { label: "Format the text", group: "Edit", keys: "Shift Alt F", icon: "menu", on: (e) => e.altKey && e.shiftKey && e.code === "KeyF", act: () => void format() },
          { label: "Go back to what is on the disk", group: "Edit", icon: "refresh", act: () => void revert() },
        ] satisfies Command[])
      : []),
    ...(canEdit(workspace.get().app) ? [{ label: "New flow", group: "Edit", icon: "plus", act: () => askNew() }] : []),
    { label: "Go to a flow", group: "Go to", keys: "Ctrl P", icon: "search", on: (e) => ctrl(e, "p"), act: () => quick.set("") },
    { label: "All commands", group: "Go to", keys: "Ctrl K", icon: "menu", on: (e) => ctrl(e, "k") || ctrl(e, "p", true), act: () => quick.set(">") },
    page("endpoints", "Endpoints", "table"),
    page("reference", "API reference", "book"),
    page("tests", "Tests", "beaker"),
    page("users", "Users", "user"),
    page("keys", "API keys", "apikey"),
    page("audit", "Audit log", "audit"),
    page("mailbox", "Mailbox", "mail"),
    { label: "Show or hide the flows", group: "View", keys: "Ctrl B", icon: "panel", on: (e) => ctrl(e, "b"), act: () => tree.change((t) => !t) },
    { label: "Show the nodes to add", group: "View", icon: "node", act: () => (tree.set(true), treeTab.set("nodes")) },
    { label: "Show or hide the drawer", group: "View", keys: "Ctrl J", icon: "drawer", on: (e) => ctrl(e, "j"), act: () => drawer.change((t) => !t) },
    { label: "Light, dark, or as the system", group: "View", icon: "moon", act: nextTheme },
    { label: "Keyboard shortcuts", group: "View", keys: "?", icon: "keyboard", on: (e) => e.key === "?" && !typing(e), act: () => help.set(true) },
  ];
}

function focusCanvas() {
  (document.querySelector<HTMLElement>(".canvas .box.selected") ?? document.querySelector<HTMLElement>(".canvas .box"))?.focus();
}

/** typing tells whether keys go into a text. */
export function typing(e: Event): boolean {
  const el = e.composedPath()[0] as HTMLElement | undefined;
  return !!el?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
}

/** listen does what keys say, wherever the focus is. */
export function listen(): () => void {
  const key = (e: KeyboardEvent) => {
    if (e.defaultPrevented || quick.get() !== null) return;
    if (document.querySelector("[aria-modal=true]") && !ctrl(e, "k")) return;
    // A field has an undo of its own for what is not written yet.
    const el = e.composedPath()[0] as HTMLElement | undefined;
    if ((ctrl(e, "z") || ctrl(e, "z", true) || ctrl(e, "y")) && el?.matches?.("input, textarea")) return;
    for (const c of commands()) {
      if (!c.on?.(e)) continue;
      e.preventDefault();
      c.act();
      return;
    }
  };
  addEventListener("keydown", key);
  return () => removeEventListener("keydown", key);
}
