import { commands, help } from "./commands";
import { useCell } from "./cell";
import { Dialog } from "./part/dialog";

const onCanvas: [string, string][] = [
  ["← ↑ → ↓", "Walk from step to step"],
  ["Enter", "Edit the step in its form"],
  ["A, Shift A", "Add a step behind, in front"],
  ["Alt ↑, Alt ↓", "Move the step"],
  ["Ctrl D", "Duplicate the step"],
  ["Delete", "Delete the step"],
  ["Menu key", "What can be done with the step"],
  ["/", "Find in the flow"],
  ["+, -, 0, F", "Zoom in, out, full size, the whole flow"],
  ["Esc", "Let go of the step"],
];

/** Shortcuts lists what keys do. */
export function Shortcuts() {
  const open = useCell(help);
  if (!open) return null;
  const groups = Map.groupBy(commands().filter((c) => c.keys), (c) => c.group);
  return (
    <Dialog wide title="Keyboard shortcuts" close={() => help.set(false)}>
      <div className="shortcuts">
        {[...groups].map(([name, all]) => (
          <Group key={name} name={name} rows={all.map((c) => [c.keys ?? "", c.label])} />
        ))}
        <Group name="On the canvas" rows={onCanvas} />
      </div>
    </Dialog>
  );
}

function Group({ name, rows }: { name: string; rows: [string, string][] }) {
  return (
    <section>
      <h3 className="group-name">{name}</h3>
      <dl>
        {rows.map(([keys, label]) => (
          <div key={label} className="row">
            <dt className="grow">{label}</dt>
            <dd>
              {keys.split(", ").map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
