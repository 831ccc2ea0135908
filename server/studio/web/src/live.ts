import { api } from "./api";
import { cell } from "./cell";
import { look } from "./desk";
import type { FlowStats, LiveCall, LiveState } from "./wire";
import { refresh } from "./workspace";

/** What the server streams: the last calls, and counts per flow. */
export interface Live {
  calls: LiveCall[]; // newest first
  stats: Record<string, FlowStats>;
  every: number; // one call of so many has a trace
  linked: boolean;
}

export const live = cell<Live>({ calls: [], stats: {}, every: 1, linked: false });

const mostCalls = 300;

function byFile(all: FlowStats[]): Record<string, FlowStats> {
  return Object.fromEntries(all.map((s) => [s.file, s]));
}

/** follow keeps the stream open while the page is seen. */
export function follow(): () => void {
  let stop = new AbortController();
  let timer = 0;
  let wait = 500;
  const begin = async () => {
    clearTimeout(timer);
    const mine = (stop = new AbortController());
    try {
      await api.live(mine.signal, (event, data) => {
        wait = 500;
        if (event === "state") {
          const s = data as LiveState;
          live.set({ calls: s.calls, stats: byFile(s.stats), every: s.every, linked: true });
        } else if (event === "call") {
          live.change((l) => ({ ...l, calls: [data as LiveCall, ...l.calls].slice(0, mostCalls) }));
        } else if (event === "stats") {
          live.change((l) => ({ ...l, stats: { ...l.stats, ...byFile(data as FlowStats[]) } }));
        } else if (event === "reload") {
          void refresh();
          void look();
        }
      });
    } catch {
      // The stream begins again below.
    }
    if (mine.signal.aborted) return;
    live.change((l) => ({ ...l, linked: false }));
    timer = window.setTimeout(() => void begin(), wait);
    wait = Math.min(wait * 2, 10_000);
  };
  const seen = () => {
    if (document.hidden) {
      stop.abort();
      clearTimeout(timer);
    } else if (stop.signal.aborted) {
      void begin();
      void look();
    }
  };
  document.addEventListener("visibilitychange", seen);
  void begin();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    stop.abort();
    clearTimeout(timer);
  };
}
