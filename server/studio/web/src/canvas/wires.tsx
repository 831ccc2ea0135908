import { memo } from "react";
import type { EdgeRow } from "../wire";

const round = 8;

/** line is the drawing of an edge, with round corners. */
function line(points: [number, number][]): string {
  const first = points[0];
  if (!first) return "";
  let d = `M${first[0]} ${first[1]}`;
  for (let i = 1; i < points.length; i++) {
    const p = points[i] as [number, number];
    const next = points[i + 1];
    if (!next) {
      d += `L${p[0]} ${p[1]}`;
      break;
    }
    const before = points[i - 1] as [number, number];
    const r = Math.min(round, span(before, p) / 2, span(p, next) / 2);
    const a = toward(p, before, r);
    const b = toward(p, next, r);
    d += `L${a[0]} ${a[1]}Q${p[0]} ${p[1]} ${b[0]} ${b[1]}`;
  }
  return d;
}

const span = (a: [number, number], b: [number, number]) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);

function toward(p: [number, number], q: [number, number], r: number): [number, number] {
  const cut = (by: number) => Math.max(-r, Math.min(r, by));
  return [p[0] + cut(q[0] - p[0]), p[1] + cut(q[1] - p[1])];
}

function head(points: [number, number][]): string {
  const end = points.at(-1);
  const before = points.at(-2);
  if (!end || !before) return "";
  const back = toward(end, before, 7);
  const side = [((end[1] - back[1]) * 4) / 7, ((end[0] - back[0]) * 4) / 7] as const;
  return `M${end[0]} ${end[1]}L${back[0] + side[0]} ${back[1] + side[1]}L${back[0] - side[0]} ${back[1] - side[1]}Z`;
}

/** beside is where a label stands that has no place of its own: left of the middle of the first part. */
function beside(points: [number, number][]): [number, number] {
  const [x, y] = points[0] ?? [0, 0];
  const [toX, toY] = points[1] ?? [x, y];
  return x === toX ? [x - 7, (y + toY) / 2 + 4] : [(x + toX) / 2, y - 5];
}

/** What the lens says of an edge. */
export interface EdgeMark {
  class: string; // taken, missed
  text: string;
}

interface Props {
  width: number;
  height: number;
  edges: EdgeRow[];
  marks: Map<string, EdgeMark>;
}

/**
 * Wires draws all edges as few paths, one for each kind, so that a flow of
 * hundreds of steps pans as one picture.
 */
export const Wires = memo(function Wires({ width, height, edges, marks }: Props) {
  const lines = new Map<string, string>();
  const heads = new Map<string, string>();
  const add = (to: Map<string, string>, kind: string, d: string) => to.set(kind, (to.get(kind) ?? "") + d);
  for (const e of edges) {
    const kind = e.kind + " " + (marks.get(e.id)?.class ?? "");
    add(lines, kind, line(e.points));
    if (e.arrow) add(heads, kind, head(e.points));
  }
  return (
    <svg className="wires" width={width} height={height} aria-hidden="true">
      {[...lines].map(([kind, d]) => (
        <path key={kind} className={"wire " + kind} d={d} />
      ))}
      {[...heads].map(([kind, d]) => (
        <path key={kind} className={"wire-head " + kind} d={d} />
      ))}
      {edges.map((e) => {
        const mark = marks.get(e.id);
        if (!e.label && !mark?.text) return null;
        const [x, y] = e.mark ?? beside(e.points);
        return (
          <text key={e.id} x={x} y={y} className={"wire-label " + (!e.mark ? "last " : e.centred ? "middle " : "") + (mark?.class ?? "")}>
            {e.label}
            {mark?.text && <tspan className="wire-count">{(e.label ? "  " : "") + mark.text}</tspan>}
          </text>
        );
      })}
    </svg>
  );
});
