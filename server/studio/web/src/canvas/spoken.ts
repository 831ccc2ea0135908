import type { Box, Sheet } from "../wire";

/** spoken gives what screen readers tell of boxes beside their titles. */
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
        return "start of the flow" + tail;
      case "end":
        return `where outcome ${b.outcome} ends the flow`;
      case "answer":
        return "answer" + tail;
      case "frame":
        return "block" + tail;
      case "node": {
        const routed = step?.outcomes.filter((o) => o.to !== "").map((o) => `${o.name} ${o.to === "continue" ? "goes on" : "is handled"}`) ?? [];
        return ["node", ...routed].join("; ") + tail;
      }
    }
    return (b.verb || "if") + tail;
  };
}
