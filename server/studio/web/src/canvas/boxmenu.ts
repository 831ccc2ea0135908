import { desk, gesture, stepAt } from "../desk";
import { side } from "../layout";
import type { Item } from "../part/menu";
import { benchOf, setBench, shown, start } from "../run";
import { canEdit, workspace } from "../workspace";
import { pick } from "./palette";
import { before, behind } from "./walk";

/** boxMenu is what can be done with the step at a place; "" is the head of the flow. */
export function boxMenu(place: string): Item[] {
  const d = desk.get();
  const off = !canEdit(workspace.get().app);
  const below = () => {
    const r = document.querySelector(`[data-place="${CSS.escape(place)}"]`)?.getBoundingClientRect();
    return [(r?.right ?? innerWidth / 2) + 12, r?.top ?? 160] as const;
  };
  if (place === "") return [{ label: "Add the first step", icon: "plus", off, act: () => pick("steps/0", ...below()) }, { label: "Edit the endpoint", icon: "edit", act: () => side.set("form") }];
  const step = stepAt(d.sheet, place);
  const bench = benchOf(d.file);
  const first = before(place) === null;
  const last = !d.sheet?.steps.some((s) => s.place === behind(place));
  const items: Item[] = [
    { label: "Add a step behind", icon: "plus", keys: "A", off, act: () => pick(behind(place), ...below()) },
    { label: "Add a step in front", icon: "plus", keys: "⇧A", off, act: () => pick(place, ...below()) },
    { label: "" },
    { label: "Move up", icon: "up", keys: "Alt ↑", off: off || first, act: () => void gesture([{ do: "move", at: place, to: before(place) ?? place }]) },
    { label: "Move down", icon: "down", keys: "Alt ↓", off: off || last, act: () => void gesture([{ do: "move", at: place, to: behind(behind(place)) }]) },
    { label: "Duplicate", icon: "copy", keys: "Ctrl D", off, act: () => void gesture([{ do: "copy", at: place, to: behind(place) }]) },
    { label: "Put into an if", icon: "if", off, act: () => void gesture([{ do: "wrap", at: place, verb: "if" }]) },
    { label: "Put into an each", icon: "each", off, act: () => void gesture([{ do: "wrap", at: place, verb: "each" }]) },
    { label: "Put into a try", icon: "try", off, act: () => void gesture([{ do: "wrap", at: place, verb: "try" }]) },
    { label: "" },
    { label: bench.upTo === place ? "Run to the end again" : "Run to here", icon: "stop", act: () => runTo(place) },
  ];
  const again = shown.get();
  if (again?.run && again.trace.steps.some((s) => s.place === place)) {
    items.push({ label: "Run again from here", icon: "refresh", act: () => void start({ from: place }) });
    if (step?.verb === "node") items.push({ label: "Run only this step", icon: "play", act: () => void start({ from: place, alone: true }) });
  }
  if (step?.verb === "node") {
    const faked = place in bench.fakes;
    items.push({
      label: faked ? "Do not fake the output" : "Fake the output",
      icon: "mask",
      act: () => {
        const fakes = { ...bench.fakes };
        if (faked) delete fakes[place];
        else fakes[place] = { out: {} };
        setBench(d.file, { fakes });
        side.set("form");
      },
    });
  }
  items.push({ label: "" }, { label: "Delete", icon: "trash", keys: "Del", off, act: () => void gesture([{ do: "delete", at: place }], before(place) ?? "") });
  return items;
}

function runTo(place: string) {
  const d = desk.get();
  const now = benchOf(d.file).upTo === place ? "" : place;
  setBench(d.file, { upTo: now });
  if (now) void start({ upTo: now });
}
