import { memo } from "react";
import { family, Icon } from "../part/icon";
import type { Box } from "../wire";

/** What is shown of a box beside what it is. */
export interface BoxMark {
  text: string; // as in 1.2 ms
  tone: string; // good, bad, warn, dim or ""
  now: boolean; // the run is looked at here
}

export interface BoxData extends Record<string, unknown> {
  box: Box;
  selected: boolean;
  wrong: number; // problems
  warned: boolean; // all of them are warnings
  found: boolean; // by the search in the flow
  faked: boolean;
  stop: boolean; // the run goes to here
  mark: BoxMark | undefined;
  label: string; // what screen readers tell beside the title
  target: boolean;
  press: (e: React.PointerEvent, box: Box) => void;
  choose: (box: Box) => void;
  menu: (e: React.MouseEvent, box: Box) => void;
}

const verbIcons: Record<string, string> = {
  if: "if", when: "if", switch: "switch", each: "each", parallel: "parallel", try: "try", finally: "try", let: "let", send: "send", respond: "respond", fail: "fail", return: "return",
};

export function iconOf(box: Pick<Box, "kind" | "verb" | "family">): string {
  if (box.kind === "start") return "trigger";
  if (box.kind === "node" || box.family) return family(box.family);
  return verbIcons[box.verb] ?? "flow";
}

/** Trigger is what starts the flow: its endpoint, and who may call it. */
function Trigger({ box }: { box: Box }) {
  const [method, path] = box.title.split(" ");
  return (
    <>
      <span className="tile" style={{ background: "var(--hue0)" }}>
        <Icon name={path ? "trigger" : "flow"} />
      </span>
      <span className="box-words">
        <b className="cut">
          {path && <span className={"method " + method}>{method}</span>}
          {path ?? box.title}
        </b>
        {box.subtitle && <span className="box-sub cut">{box.subtitle}</span>}
      </span>
    </>
  );
}

function Body({ box }: { box: Box }) {
  switch (box.kind) {
    case "choice":
      return (
        <>
          <svg className="choice-shape" width={box.w} height={box.h} aria-hidden="true">
            <path d={`M.7 ${box.h / 2}L14 .7H${box.w - 14}L${box.w - 0.7} ${box.h / 2}L${box.w - 14} ${box.h - 0.7}H14Z`} />
          </svg>
          <span className="choice-word cut">{box.title}</span>
        </>
      );
    case "frame":
      return (
        <span className="frame-head">
          <Icon name={iconOf(box)} size={14} />
          <b className="cut">{box.title}</b>
          {box.subtitle && <span className="box-sub cut">{box.subtitle}</span>}
        </span>
      );
    case "answer":
      return (
        <b>{box.title}</b>
      );
    case "end":
      return <span>{box.title}</span>;
    case "start":
      return <Trigger box={box} />;
  }
  return (
    <>
      <span className="tile" style={{ background: `var(--hue${box.colour})` }}>
        <Icon name={iconOf(box)} />
      </span>
      <span className="box-words">
        <b className="cut">{box.title}</b>
        {box.subtitle && <span className="box-sub cut">{box.subtitle}</span>}
      </span>
    </>
  );
}

export const BoxView = memo(function BoxView({ data }: { data: BoxData }) {
  const { box, mark } = data;
  const classes = ["box", box.kind, box.class, data.selected && "selected", data.wrong > 0 && (data.warned ? "warned" : "wrong"), data.found && "found", mark && "mark-" + (mark.tone || "plain"), mark?.now && "now", data.target && "target"];
  return (
    <div
      id={"box:" + box.id}
      className={classes.filter(Boolean).join(" ")}
      style={{ width: box.w, height: box.h }}
      role="button"
      aria-pressed={data.selected}
      tabIndex={data.selected ? 0 : -1}
      data-place={box.place}
      onPointerDown={(e) => data.press(e, box)}
      onClick={(e) => {
        e.stopPropagation();
        data.choose(box);
      }}
      onContextMenu={(e) => data.menu(e, box)}
    >
      <Body box={box} />
      {data.wrong > 0 && (
        <span className="badge">
          <Icon name={data.warned ? "warning" : "error"} size={12} />
          {data.wrong > 1 && data.wrong}
        </span>
      )}
      {data.faked && (
        <span className="badge fake">
          <Icon name="mask" size={12} />
        </span>
      )}
      {data.stop && <span className="stop-here">run to here</span>}
      {mark?.text && <span className="box-mark">{mark.text}</span>}
      <span className="hidden">, {data.label}</span>
    </div>
  );
});
