import type { Box, Sheet } from "../wire";

/** spoken gives boxes the names by which screen readers tell them. */
export function spoken(sheet: Sheet): (b: Box) => string {
  const steps = new Map(sheet.steps.map((s) => [s.place, s]));
  const wrong = new Map<string, string[]>();
  for (const p of sheet.problems) wrong.set(p.place, [...(wrong.get(p.place) ?? []), p.message]);
  return (b) => {
    const mistakes = b.kind === "end" ? [] : (wrong.get(b.kind === "start" ? "" : b.place) ?? []);
    const tail = mistakes.length > 0 ? ". Problem: " + mistakes.join("; ") : "";
    const step = steps.get(b.place);
    switch (b.kind) {
      case "start":
        return "Start: " + (b.title || sheet.file) + tail;
      case "end":
        return `Outcome ${b.outcome} ends the flow with ${b.title}`;
      case "answer":
        return "Answer: " + b.title + tail;
      case "choice":
        return `${b.verb || "if"}: ${b.title}${tail}`;
      case "frame":
        return `Block ${b.title} ${b.subtitle}${tail}`;
      case "node": {
        const routed = step?.outcomes.filter((o) => o.to !== "").map((o) => `${o.name} ${o.to === "continue" ? "goes on" : "is handled"}`) ?? [];
        return `Node ${b.title}${b.subtitle ? ", gives " + b.subtitle : ""}${routed.length > 0 ? "; " + routed.join(", ") : ""}${tail}`;
      }
    }
    return `${b.verb}: ${b.title} ${b.subtitle}${tail}`;
  };
}
