import { api, locked, Refusal } from "./api";
import { cell } from "./cell";
import type { Access, App, FlowEntry, NodeInfo } from "./wire";

/** What the page knows of the application as a whole. */
export interface Workspace {
  access: Access | null;
  app: App | null;
  wrong: string; // why there is no app
}

export const workspace = cell<Workspace>({ access: null, app: null, wrong: "" });

let asked = 0;

/** refresh asks for the application again; the last question counts. */
export async function refresh() {
  const mine = ++asked;
  try {
    const access = await api.access();
    if (!access.open) {
      workspace.set({ access, app: null, wrong: "" });
      locked.set(true);
      return;
    }
    const app = await api.app();
    if (mine !== asked) return;
    locked.set(false);
    workspace.set({ access, app, wrong: "" });
  } catch (e) {
    if (mine !== asked || (e instanceof Refusal && e.status === 401)) return;
    workspace.change((w) => ({ ...w, wrong: e instanceof Error ? e.message : String(e) }));
  }
}

export const appNow = () => workspace.get().app;

export function canEdit(app: App | null): boolean {
  return !!app && !app.readOnly && app.dir !== "";
}

export function entry(app: App | null, file: string): FlowEntry | undefined {
  return app?.flows.find((f) => f.file === file);
}

export function nodeInfo(app: App | null, name: string): NodeInfo | undefined {
  return app?.nodes.find((n) => n.name === name);
}
