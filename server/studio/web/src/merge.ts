/** A Piece is a run of lines of three texts: the same, changed on one side, or on both. */
export type Piece =
  | { kind: "same"; lines: string[] }
  | { kind: "mine" | "theirs" | "both" | "conflict"; lines: string[]; base: string[]; mine: string[]; theirs: string[] };

/** matches pairs the lines that two texts have in common, in order. */
function matches(a: string[], b: string[]): Map<number, number> {
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let tail = 0;
  while (tail < a.length - from && tail < b.length - from && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const n = a.length - from - tail;
  const m = b.length - from - tail;
  const pairs = new Map<number, number>();
  for (let i = 0; i < from; i++) pairs.set(i, i);
  const table = Array.from({ length: n + 1 }, () => new Uint32Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    const row = table[i] as Uint32Array;
    const below = table[i + 1] as Uint32Array;
    for (let j = m - 1; j >= 0; j--) row[j] = a[from + i] === b[from + j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
  }
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (a[from + i] === b[from + j]) pairs.set(from + i++, from + j++);
    else if ((table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0)) i++;
    else j++;
  }
  for (let i = 0; i < tail; i++) pairs.set(a.length - tail + i, b.length - tail + i);
  return pairs;
}

const same = (a: string[], b: string[]) => a.length === b.length && a.every((l, i) => l === b[i]);

/** merge lays three texts side by side, by the lines that all of them have. */
export function merge(base: string, mine: string, theirs: string): Piece[] {
  const [b, m, t] = [base.split("\n"), mine.split("\n"), theirs.split("\n")];
  const toMine = matches(b, m);
  const toTheirs = matches(b, t);
  const out: Piece[] = [];
  let [i, j, k] = [0, 0, 0];
  const between = (bi: number, mj: number, tk: number) => {
    const [pb, pm, pt] = [b.slice(i, bi), m.slice(j, mj), t.slice(k, tk)];
    if (pb.length + pm.length + pt.length === 0) return;
    if (same(pm, pt)) out.push({ kind: "both", lines: pm, base: pb, mine: pm, theirs: pt });
    else if (same(pb, pt)) out.push({ kind: "mine", lines: pm, base: pb, mine: pm, theirs: pt });
    else if (same(pb, pm)) out.push({ kind: "theirs", lines: pt, base: pb, mine: pm, theirs: pt });
    else out.push({ kind: "conflict", lines: pm, base: pb, mine: pm, theirs: pt });
  };
  for (let at = 0; at < b.length; at++) {
    const mj = toMine.get(at);
    const tk = toTheirs.get(at);
    if (mj === undefined || tk === undefined || mj < j || tk < k) continue;
    between(at, mj, tk);
    const last = out.at(-1);
    if (last?.kind === "same") last.lines.push(b[at] ?? "");
    else out.push({ kind: "same", lines: [b[at] ?? ""] });
    [i, j, k] = [at + 1, mj + 1, tk + 1];
  }
  between(b.length, m.length, t.length);
  return out;
}
