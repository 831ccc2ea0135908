import { Background, BackgroundVariant, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, useStore, ViewportPortal, type Node, type NodeTypes } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, type KeyboardEvent } from "react";
import { usePart, useCell } from "../cell";
import { desk, gesture, select } from "../desk";
import { live } from "../live";
import { report } from "../pages/report";
import { openMenu } from "../part/menu";
import { benches, lens, shown } from "../run";
import { side } from "../layout";
import type { Box, Drawing, Sheet } from "../wire";
import { canEdit, workspace } from "../workspace";
import { BoxView, type BoxData } from "./box";
import { boxMenu } from "./boxmenu";
import { carried, carry, placeAt } from "./drag";
import { Find, found } from "./find";
import { noMarks, ofLive, ofTests, ofTrace, type Marks } from "./marks";
import { pick } from "./palette";
import { spoken } from "./spoken";
import { before, behind, neighbour } from "./walk";
import { Wires } from "./wires";
import { Tools, whole } from "./tools";

interface SlotData extends Record<string, unknown> {
  place: string;
  on: boolean; // something is carried, and may be put here
  over: boolean;
  still: boolean; // nothing can be changed
}

function SlotView({ data }: { data: SlotData }) {
  return (
    <button
      className={"slot" + (data.on ? " on" : "") + (data.over ? " over" : "")}
      aria-label="Add a step here"
      tabIndex={-1}
      disabled={data.still}
      onClick={(e) => {
        e.stopPropagation();
        const r = e.currentTarget.getBoundingClientRect();
        pick(data.place, r.right + 8, r.top - 12);
      }}
    />
  );
}

const nodeTypes: NodeTypes = { box: BoxView as NodeTypes[string], slot: SlotView as NodeTypes[string] };
const slotSize = 18;
const few = 200; // boxes and places that are all drawn, also where nobody sees them

function useMarks(drawing: Drawing, file: string): Marks {
  const by = useCell(lens);
  const run = useCell(shown);
  const stats = usePart(live, (l) => l.stats[file]);
  const tests = useCell(report);
  return useMemo(() => {
    if (by === "run" && run && run.trace.file === file) return ofTrace(drawing, file, run.trace.steps, run.at);
    if (by === "live") return ofLive(drawing, stats);
    if (by === "tests") return ofTests(drawing, tests.report?.flows.find((f) => f.file === file));
    return noMarks;
  }, [drawing, file, by, run, stats, tests]);
}

function Inside({ sheet, drawing }: { sheet: Sheet; drawing: Drawing }) {
  const { selected, file } = useCell(desk);
  const app = useCell(workspace).app;
  const bench = usePart(benches, (all) => all[file]);
  const hits = useCell(found);
  const load = useCell(carried);
  const marks = useMarks(drawing, file);
  const flow = useReactFlow();
  const box = useRef<HTMLDivElement>(null);
  const still = !canEdit(app);
  const chosen = drawing.boxes.find((b) => (selected === "" ? b.kind === "start" : b.place === selected && b.kind !== "end" && !b.id.endsWith("#when"))) ?? drawing.boxes.find((b) => selected !== null && b.place === selected);
  const chosenID = selected === null ? undefined : chosen?.id;

  const press = useCallback((e: React.PointerEvent, b: Box) => {
    if (b.kind === "start" || b.kind === "end" || !b.place || still) return;
    carry(e, { label: b.title, icon: b.kind === "node" ? b.family || "node" : b.verb, edit: { do: "move", at: b.place } });
  }, [still]);
  const choose = useCallback((b: Box) => select(b.kind === "start" ? "" : b.place), []);
  const menu = useCallback((e: React.MouseEvent, b: Box) => {
    e.preventDefault();
    choose(b);
    openMenu("Step", e.clientX, e.clientY, boxMenu(b.kind === "start" ? "" : b.place));
  }, [choose]);

  const nodes = useMemo<Node[]>(() => {
    const problems = new Map<string, { all: number; warned: boolean }>();
    for (const p of sheet.problems) {
      if (p.file !== sheet.file) continue;
      const of = problems.get(p.place) ?? { all: 0, warned: true };
      problems.set(p.place, { all: of.all + 1, warned: of.warned && p.warning });
    }
    const said = spoken(sheet);
    const boxes = drawing.boxes.map((drawn): Node => {
      const b = drawn.kind === "start" ? trigger(drawn, sheet) : drawn;
      const first = b.kind !== "end" && !b.id.endsWith("#when");
      const wrong = first ? problems.get(b.kind === "start" ? "" : b.place) : undefined;
      const data: BoxData = {
        box: b,
        selected: b.id === chosenID,
        wrong: wrong?.all ?? 0,
        warned: wrong?.warned ?? false,
        found: hits.has(b.id),
        faked: first && b.place !== "" && !!bench?.fakes[b.place],
        stop: first && b.place !== "" && bench?.upTo === b.place,
        mark: marks.boxes.get(b.id),
        label: said(b),
        target: false,
        press,
        choose,
        menu,
      };
      return { id: b.id, type: "box", position: { x: b.x, y: b.y }, width: b.w, height: b.h, data, zIndex: b.kind === "frame" ? -1 : 1, className: "nopan" };
    });
    const slots = drawing.slots.map(
      (s): Node => ({
        id: "slot:" + s.place,
        type: "slot",
        position: { x: s.x - slotSize / 2, y: s.y - slotSize / 2 },
        width: slotSize,
        height: slotSize,
        data: { place: s.place, on: !!load, over: load?.over === s.place, still } satisfies SlotData,
        zIndex: 2,
        className: "nopan",
      }),
    );
    return [...boxes, ...slots];
  }, [drawing, sheet, chosenID, marks, hits, bench, load?.over, !!load, still, press, choose, menu]);

  // The place nearest to the pointer, for what is carried.
  useEffect(() => {
    placeAt.set((x, y) => {
      const r = box.current?.getBoundingClientRect();
      if (!r || x < r.left || x > r.right || y < r.top || y > r.bottom) return null;
      const at = flow.screenToFlowPosition({ x, y });
      let best: string | null = null;
      let least = 90 / flow.getZoom() + 40;
      for (const s of drawing.slots) {
        const far = Math.hypot((s.x - at.x) * 0.7, s.y - at.y);
        if (far < least) {
          least = far;
          best = s.place;
        }
      }
      return best;
    });
    return () => placeAt.set(() => null);
  }, [drawing, flow]);

  // A flow that opens is shown from its top, as large as it fits.
  const placed = useRef("");
  const width = useStore((s) => s.width);
  const height = useStore((s) => s.height);
  useEffect(() => {
    if (!width || placed.current === file) return;
    placed.current = file;
    const fits = Math.max(0.45, Math.min(1, (width - 40) / drawing.width));
    const zoom = fits > 0.9 ? 1 : fits; // letters are sharp at full size
    const x = drawing.width * zoom < width ? (width - drawing.width * zoom) / 2 : width / 2 - spine(drawing) * zoom;
    void flow.setViewport({ x: Math.round(x), y: 56 + 12 * zoom, zoom });
  }, [file, width, height, drawing, flow]);

  // A drawing that grows to the left leaves the spine where it was on the screen.
  const last = useRef(spine(drawing));
  useLayoutEffect(() => {
    const by = last.current - spine(drawing);
    last.current = spine(drawing);
    if (by === 0 || placed.current !== file) return;
    const { x, y, zoom } = flow.getViewport();
    void flow.setViewport({ x: x + by * zoom, y, zoom });
  }, [drawing, file, flow]);

  // What is selected is in view, and has the focus if the canvas had it.
  useEffect(() => {
    if (!chosen || !chosenID) return;
    const { x, y, zoom } = flow.getViewport();
    const left = chosen.x * zoom + x;
    const top = chosen.y * zoom + y;
    const tall = Math.min(chosen.h, 60) * zoom;
    const wide = Math.min(chosen.w, 260) * zoom;
    const across = left < 16 ? 16 - left : Math.min(0, width - 16 - (left + wide));
    const down = top < 56 ? 90 - top : top + tall > height - 24 ? height * 0.62 - top : 0;
    if (width && (across !== 0 || down !== 0)) void flow.setViewport({ x: x + across, y: y + down, zoom }, { duration: 160 });
    if (!box.current?.contains(document.activeElement)) return;
    let tries = 0;
    const focus = () => {
      const el = document.getElementById("box:" + chosenID);
      if (el) el.focus({ preventScroll: true });
      else if (tries++ < 20) requestAnimationFrame(focus);
    };
    focus();
  }, [chosenID]);

  const key = (e: KeyboardEvent) => {
    if ((e.target as Element).closest("input, .find")) return;
    const step = selected ? selected : null;
    const act = () => {
      if (e.key.startsWith("Arrow") && !e.altKey && !e.ctrlKey && !e.metaKey) {
        const next = neighbour(drawing.boxes, chosen && chosenID ? chosen : undefined, e.key as "ArrowUp");
        if (next) choose(next);
        return true;
      }
      if (e.altKey && step && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
        const to = e.key === "ArrowUp" ? before(step) : behind(behind(step));
        if (to && (e.key === "ArrowUp" || sheet.steps.some((s) => s.place === behind(step)))) void gesture([{ do: "move", at: step, to }]);
        return true;
      }
      if (e.ctrlKey || e.metaKey || e.altKey) {
        if (e.key.toLowerCase() === "d" && step) {
          void gesture([{ do: "copy", at: step, to: behind(step) }]);
          return true;
        }
        return false;
      }
      switch (e.key) {
        case "Delete":
        case "Backspace":
          if (step) void gesture([{ do: "delete", at: step }], before(step) ?? "");
          return true;
        case "a":
        case "A": {
          const r = document.getElementById("box:" + chosenID)?.getBoundingClientRect();
          const place = step ? (e.key === "A" ? step : behind(step)) : "steps/0";
          pick(place, (r?.right ?? innerWidth / 2) + 12, r?.top ?? 160);
          return true;
        }
        case "Enter":
          side.set("form");
          requestAnimationFrame(() => document.querySelector<HTMLElement>(".panel .form input, .panel .form select, .panel .form textarea")?.focus());
          return true;
        case "Escape":
          select(null);
          return true;
        case "f":
          void flow.fitView(whole);
          return true;
        case "+":
        case "=":
          void flow.zoomIn({ duration: 120 });
          return true;
        case "-":
          void flow.zoomOut({ duration: 120 });
          return true;
        case "0":
          void flow.zoomTo(1, { duration: 120 });
          return true;
        case "/":
          document.querySelector<HTMLInputElement>(".find input")?.focus();
          return true;
        case "ContextMenu": {
          const r = document.getElementById("box:" + chosenID)?.getBoundingClientRect();
          if (r) openMenu("Step", r.left, r.bottom + 4, boxMenu(selected ?? ""));
          return true;
        }
      }
      return false;
    };
    if (act()) {
      e.preventDefault();
      e.stopPropagation();
    }
  };

  return (
    <div ref={box} className={"canvas" + (load ? " taking" : "")} role="group" aria-label={"Canvas of " + file} onKeyDown={key}>
      <ReactFlow
        nodes={nodes}
        edges={none}
        nodeTypes={nodeTypes}
        minZoom={0.08}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        onlyRenderVisibleElements={nodes.length > few}
        panOnScroll
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        onPaneClick={() => select(null)}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} color="var(--grid)" />
        <ViewportPortal>
          <Wires width={drawing.width} height={drawing.height} edges={drawing.edges} marks={marks.edges} />
        </ViewportPortal>
        {(drawing.height > 1000 || drawing.width > 1400) && <MiniMap className="minimap" position="bottom-left" pannable zoomable ariaLabel="Overview of the flow" nodeColor={miniColour} nodeStrokeWidth={0} nodeBorderRadius={8} bgColor="var(--paper)" maskColor="var(--minimask)" />}
      </ReactFlow>
      <Find drawing={drawing} />
      <Tools />
    </div>
  );
}

const none: never[] = [];

/** trigger makes the mark at which a flow starts a box that says what starts it. */
function trigger(b: Box, sheet: Sheet): Box {
  const h = sheet.header;
  const said = !h || h.node ? "node" : ["session " + h.session, h.groups.length > 0 && "groups " + h.groups.join(", "), h.apiKey !== "none" && "API key " + h.apiKey, h.limit && "limit " + h.limit, h.answer === "events" && "events", !h.enabled && "not served"].filter(Boolean).join(" · ");
  const title = b.title || "Start";
  const w = Math.min(420, Math.max(180, 60 + title.length * 8.2, 60 + said.length * 6.7));
  return { ...b, title, subtitle: said, x: b.x + b.w / 2 - w / 2, y: b.y + b.h - 44, w, h: 44 };
}

/** spine is where the flow begins. */
function spine(drawing: Drawing): number {
  const start = drawing.boxes.find((b) => b.kind === "start");
  return start ? start.x + start.w / 2 : drawing.width / 2;
}

function miniColour(n: Node): string {
  if (n.type === "slot") return "transparent";
  const { box } = n.data as BoxData;
  if (box.kind === "frame") return "var(--hover)";
  if (box.class === "good") return "var(--good-line)";
  if (box.class === "refused") return "var(--warn-line)";
  if (box.class === "broken") return "var(--bad-line)";
  return "var(--wire)";
}

/** Canvas is the flow, drawn top to bottom as the server laid it out. */
export function Canvas({ sheet, drawing }: { sheet: Sheet; drawing: Drawing }) {
  return (
    <ReactFlowProvider>
      <Inside sheet={sheet} drawing={drawing} />
    </ReactFlowProvider>
  );
}
