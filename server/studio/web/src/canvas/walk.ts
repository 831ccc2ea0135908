import type { Desk } from "../desk";
import type { Box } from "../wire";

type Way = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

/** neighbour is the box that an arrow key leads to: near, and rather straight ahead. */
export function neighbour(boxes: Box[], from: Box | undefined, way: Way): Box | undefined {
  const all = boxes.filter((b) => b.id !== from?.id);
  if (!from) return all.find((b) => b.kind === "start") ?? all[0];
  const upright = way === "ArrowUp" || way === "ArrowDown";
  const sign = way === "ArrowUp" || way === "ArrowLeft" ? -1 : 1;
  const frame = (b: Box) => b.kind === "frame";
  const centre = (b: Box): [number, number] => [b.x + b.w / 2, frame(b) ? b.y + 14 : b.y + b.h / 2];
  const [fx, fy] = centre(from);
  let best: Box | undefined;
  let least = Infinity;
  for (const b of all) {
    const [x, y] = centre(b);
    const ahead = (upright ? y - fy : x - fx) * sign;
    if (ahead < 4) continue;
    const overlap = upright ? Math.max(0, Math.max(b.x - (from.x + from.w), from.x - (b.x + b.w))) : Math.max(0, Math.max(b.y - (from.y + from.h), from.y - (b.y + b.h)));
    const aside = upright ? Math.abs(x - fx) : Math.abs(y - fy);
    const cost = ahead + 3 * overlap + aside * 0.5;
    if (cost < least) {
      least = cost;
      best = b;
    }
  }
  return best;
}

/** behind is the place behind a step, as a move or an insert names it. */
export function behind(place: string): string {
  const cut = place.lastIndexOf("/");
  return place.slice(0, cut + 1) + (Number(place.slice(cut + 1)) + 1);
}

/** before is the place in front of the step above, or null of the first one. */
export function before(place: string): string | null {
  const cut = place.lastIndexOf("/");
  const n = Number(place.slice(cut + 1));
  return n > 0 ? place.slice(0, cut + 1) + (n - 1) : null;
}

/**
 * aim is where a step goes that is added without a place: behind the one that is
 * selected; else in front of the last step, since that ends the flow.
 */
export function aim(d: Desk): string {
  if (d.selected) return behind(d.selected);
  if (d.selected === "") return "steps/0";
  const top = d.sheet?.steps.filter((s) => /^steps\/\d+$/.test(s.place)) ?? [];
  const last = top.at(-1);
  if (!last) return "steps/0";
  return ["respond", "fail", "return"].includes(last.verb) ? last.place : behind(last.place);
}
