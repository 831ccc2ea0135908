import { useRef, useSyncExternalStore } from "react";

/** A Cell is a value that can be watched. */
export interface Cell<T> {
  get(): T;
  set(next: T): void;
  change(by: (old: T) => T): void;
  watch(told: () => void): () => void;
}

export function cell<T>(first: T): Cell<T> {
  let value = first;
  const watchers = new Set<() => void>();
  const set = (next: T) => {
    if (Object.is(next, value)) return;
    value = next;
    for (const told of [...watchers]) told();
  };
  return {
    get: () => value,
    set,
    change: (by) => set(by(value)),
    watch: (told) => {
      watchers.add(told);
      return () => watchers.delete(told);
    },
  };
}

export function useCell<T>(c: Cell<T>): T {
  return useSyncExternalStore(c.watch, c.get);
}

/** usePart draws again only where what pick gives is another value. */
export function usePart<T, P>(c: Cell<T>, pick: (value: T) => P): P {
  const last = useRef<P | undefined>(undefined);
  return useSyncExternalStore(c.watch, () => {
    const next = pick(c.get());
    if (!Object.is(next, last.current)) last.current = next;
    return last.current as P;
  });
}

/** kept is a cell whose value outlives the page, in the browser's storage. */
export function kept<T extends string | number | boolean>(name: string, first: T): Cell<T> {
  let start = first;
  try {
    const found = localStorage.getItem("sluice." + name);
    if (found !== null) start = JSON.parse(found) as T;
  } catch {
    // A browser that keeps nothing gets the first value each time.
  }
  const c = cell<T>(typeof start === typeof first ? start : first);
  c.watch(() => {
    try {
      localStorage.setItem("sluice." + name, JSON.stringify(c.get()));
    } catch {
      // As above.
    }
  });
  return c;
}
