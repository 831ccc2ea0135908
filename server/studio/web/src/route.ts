import { useSyncExternalStore } from "react";

/**
 * A Route is what the fragment of the address names, as in
 * /_studio#/flow/auth/sign-in.yaml?at=steps/2.
 */
export interface Route {
  page: string; // "" for the first page, flow for the canvas
  rest: string; // as in auth/sign-in.yaml
  query: URLSearchParams;
}

const watchers = new Set<() => void>();

function read(): Route {
  const all = location.hash.replace(/^#\/?/, "");
  const mark = all.indexOf("?");
  const path = decodeURI(mark < 0 ? all : all.slice(0, mark));
  const cut = path.indexOf("/");
  return {
    page: cut < 0 ? path : path.slice(0, cut),
    rest: cut < 0 ? "" : path.slice(cut + 1),
    query: new URLSearchParams(mark < 0 ? "" : all.slice(mark + 1)),
  };
}

let now = read();

function told() {
  now = read();
  for (const w of [...watchers]) w();
}

addEventListener("popstate", told);
addEventListener("hashchange", told);

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

export const address = (page: string, rest = "") => "#/" + encodeURI(page + (rest ? "/" + rest : ""));

/** auditOf leads to the part of the audit log that filters name: user, kind, since. */
export const auditOf = (filters: Record<string, string>) => {
  const query = new URLSearchParams(filters).toString();
  return address("audit") + (query && "?" + query);
};

export function go(to: string, replace = false) {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  told();
}
