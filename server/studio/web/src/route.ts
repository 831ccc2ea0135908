import { useSyncExternalStore } from "react";

/** Where the studio is mounted. */
export const root = "/_studio";

/** A Route is what the address bar names. */
export interface Route {
  page: string; // "" for the first page, flows for the canvas
  rest: string; // as in auth/sign-in
  query: URLSearchParams;
}

const watchers = new Set<() => void>();
/** Whether the page may be left; a guard that says no keeps the address. */
let guard: (next: string) => boolean = () => true;

function read(): Route {
  const path = decodeURI(location.pathname).slice(root.length).replace(/^\/+/, "");
  const cut = path.indexOf("/");
  const page = cut < 0 ? path : path.slice(0, cut);
  return { page, rest: cut < 0 ? "" : path.slice(cut + 1), query: new URLSearchParams(location.search) };
}

let now = read();

function told() {
  now = read();
  for (const w of [...watchers]) w();
}

addEventListener("popstate", told);

export function useRoute(): Route {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => now,
  );
}

export const route = () => now;

export const address = (page: string, rest = "") => encodeURI(root + "/" + page + (rest ? "/" + rest : ""));

export function go(to: string, replace = false) {
  if (!guard(to)) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  told();
}

export function guardWith(ask: (next: string) => boolean) {
  guard = ask;
}
