import { useCallback, useEffect, useState, type ReactNode } from "react";

/** useLoad asks once, and again when told. */
export function useLoad<T>(ask: () => Promise<T>, deps: unknown[]): { got: T | null; wrong: string; again: () => void } {
  const [state, set] = useState<{ got: T | null; wrong: string }>({ got: null, wrong: "" });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let mine = true;
    ask().then(
      (got) => mine && set({ got, wrong: "" }),
      (e: unknown) => mine && set({ got: null, wrong: e instanceof Error ? e.message : String(e) }),
    );
    return () => {
      mine = false;
    };
  }, [...deps, times]);
  return { ...state, again: useCallback(() => setTimes((n) => n + 1), []) };
}

interface Props {
  title: string;
  about?: string;
  tools?: ReactNode;
  wrong?: string;
  loading?: boolean;
  children: ReactNode;
}

/** Sheet is the frame of a page. */
export function Sheet({ title, about, tools, wrong, loading, children }: Props) {
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>{title}</h1>
          {about && <p className="soft">{about}</p>}
        </div>
        {tools}
      </header>
      <div className="page-body scroll" tabIndex={-1}>
        {wrong ? (
          <p className="notice bad" role="alert">
            {wrong}
          </p>
        ) : loading ? (
          <div className="loading" role="status" aria-label="Loading">
            <i />
            <i />
            <i />
          </div>
        ) : (
          children
        )}
      </div>
    </div>
  );
}

/** when is a time as people say it. */
export function when(iso: string | undefined): string {
  if (!iso || iso.startsWith("0001")) return "";
  const d = new Date(iso);
  const ago = (Date.now() - d.getTime()) / 1000;
  if (ago < 0) {
    const left = -ago;
    return left < 3600 ? `in ${Math.ceil(left / 60)} min` : left < 86400 ? `in ${Math.round(left / 3600)} h` : `in ${Math.round(left / 86400)} days`;
  }
  if (ago < 60) return "just now";
  if (ago < 3600) return `${Math.floor(ago / 60)} min ago`;
  if (ago < 86400) return `${Math.floor(ago / 3600)} h ago`;
  return d.toISOString().slice(0, 10);
}
