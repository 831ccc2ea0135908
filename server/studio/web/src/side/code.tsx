import { autocompletion, completionKeymap, closeBrackets, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { EditorState, RangeSetBuilder, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { api } from "../api";
import { useCell } from "../cell";
import { desk, redo, select, stepAt, type, undo } from "../desk";
import type { Problem, Span, Step } from "../wire";
import { canEdit, workspace } from "../workspace";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto", scrollbarWidth: "thin" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0 40vh" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)" },
  ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--faint)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--hover) 55%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-foldGutter .cm-gutterElement": { width: "14px", padding: "0 2px" },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "2px 0 0 3px" },
  // Its own markers are pictures in the style, which a strict policy does not load.
  ".cm-lint-marker": { width: "9px", height: "9px", marginTop: "3px", borderRadius: "50%" },
  ".cm-lint-marker-error": { content: "normal", backgroundColor: "var(--bad-line)" },
  ".cm-lint-marker-warning": { content: "normal", backgroundColor: "var(--warn-line)" },
  ".cm-step": { backgroundColor: "color-mix(in srgb, var(--accent) 9%, transparent)", boxShadow: "inset 2px 0 0 var(--accent)" },
  ".cm-reference": { color: "var(--code-ref)" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--float)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-wash)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--faint)", fontStyle: "normal", marginLeft: "1em" },
  ".cm-completionInfo": { maxWidth: "300px", fontFamily: "var(--sans)", fontSize: "12px", padding: "6px 8px" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", fontSize: "12px", padding: "4px 8px" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)" },
  ".cm-textfield": { backgroundColor: "var(--paper)", border: "1px solid var(--line-strong)", borderRadius: "5px" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--paper)", border: "1px solid var(--line)", borderRadius: "5px", color: "var(--ink)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-wash)", outline: "1px solid var(--warn-line)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad-line) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn-line) 1px", textUnderlineOffset: "3px" },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--soft)" },
]);

/** References stand out wherever they are. */
const references = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = this.of(view);
    }
    update(u: ViewUpdate) {
      if (u.docChanged || u.viewportChanged) this.decorations = this.of(u.view);
    }
    of(view: EditorView): DecorationSet {
      const all = new RangeSetBuilder<Decoration>();
      const mark = Decoration.mark({ class: "cm-reference" });
      for (const { from, to } of view.visibleRanges) {
        const text = view.state.sliceDoc(from, to);
        for (const m of text.matchAll(/(?<![\w$])\$[a-zA-Z][\w-]*(\.[\w-]+)*/g)) {
          const line = view.state.doc.lineAt(from + m.index);
          const comment = line.text.search(/(^|\s)#/);
          if (comment >= 0 && from + m.index > line.from + comment) continue;
          all.add(from + m.index, from + m.index + m[0].length, mark);
        }
      }
      return all.finish();
    }
  },
  { decorations: (v) => v.decorations },
);

const showStep = StateEffect.define<Span | null>();
const stepField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, tr) {
    let next = marks.map(tr.changes);
    for (const e of tr.effects) {
      if (!e.is(showStep)) continue;
      const all = new RangeSetBuilder<Decoration>();
      if (e.value) {
        const last = Math.min(e.value.toColumn <= 1 ? e.value.toLine - 1 : e.value.toLine, tr.state.doc.lines);
        for (let l = e.value.line; l <= last; l++) all.add(tr.state.doc.line(l).from, tr.state.doc.line(l).from, Decoration.line({ class: "cm-step" }));
      }
      next = all.finish();
    }
    return next;
  },
  provide: (f) => EditorView.decorations.from(f),
});

/** offset is where a line and a column are, in code units. */
function offset(doc: Text, line: number, column: number): number {
  const l = doc.line(Math.max(1, Math.min(line, doc.lines)));
  return Math.min(l.to, l.from + [...l.text].slice(0, Math.max(0, column - 1)).join("").length);
}

function diagnostics(doc: Text, file: string, problems: Problem[]): Diagnostic[] {
  return problems
    .filter((p) => p.file === file)
    .map((p) => {
      const from = offset(doc, p.line, p.column);
      return { from, to: Math.max(from, offset(doc, p.line, p.to)), severity: p.warning ? "warning" : "error", message: p.hint ? `${p.message} (${p.hint})` : p.message };
    });
}

async function offers(c: CompletionContext): Promise<CompletionResult | null> {
  const line = c.state.doc.lineAt(c.pos);
  const before = line.text.slice(0, c.pos - line.from);
  if (!c.explicit && !/[$.\w:-]\s?$/.test(before)) return null;
  const { file } = desk.get();
  const stop = new AbortController();
  c.addEventListener("abort", () => stop.abort());
  try {
    const got = await api.complete({ file, text: c.state.doc.toString(), place: "", line: line.number, column: [...before].length + 1 }, stop.signal);
    const first = got.offers[0];
    if (!first) return null;
    return {
      from: offset(c.state.doc, line.number, first.from),
      options: got.offers.map((o, i) => ({ label: o.label, apply: o.text, detail: o.detail, info: o.doc || undefined, boost: Math.max(-90, 90 - i), type: o.kind })),
      validFor: /^[\w$.-]*$/,
    };
  } catch {
    return null;
  }
}

/** stepOn is the innermost step at a line. */
function stepOn(steps: Step[], line: number): string | null {
  let best: Step | undefined;
  for (const s of steps) {
    const inside = line >= s.span.line && (line < s.span.toLine || (line === s.span.toLine && s.span.toColumn > 1));
    if (inside && (!best || s.place.length >= best.place.length)) best = s;
  }
  return best?.place ?? null;
}

/** Code is the text of the flow. What is typed goes to the desk, and what the desk gets comes here. */
export default function Code() {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const coming = useRef(false); // a change from the desk is under way
  const d = useCell(desk);
  const app = useCell(workspace).app;
  const still = !canEdit(app);

  useEffect(() => {
    const el = host.current;
    if (!el) return;
    // In a shadow root the editor's styles are adopted sheets, which a strict policy allows.
    const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
    const v = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: desk.get().text,
        extensions: [
          lintGutter(), lineNumbers(), foldGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
          highlightSelectionMatches(), search({ top: true }), yaml(), syntaxHighlighting(colours), references, stepField, look,
          autocompletion({ override: [offers], icons: false }),
          EditorState.tabSize.of(2),
          EditorState.readOnly.of(still),
          EditorView.contentAttributes.of({ "aria-label": "Text of the flow", tabindex: "0" }),
          keymap.of([
            { key: "Mod-z", run: () => (undo(), true), preventDefault: true },
            { key: "Mod-y", run: () => (redo(), true), preventDefault: true },
            { key: "Mod-Shift-z", run: () => (redo(), true), preventDefault: true },
            { key: "Mod-f", run: openSearchPanel },
            { key: "Escape", run: (view) => (view.contentDOM.blur(), document.querySelector<HTMLElement>(".box.selected")?.focus(), true) },
            ...completionKeymap, ...searchKeymap, ...defaultKeymap, indentWithTab,
          ]),
          EditorView.updateListener.of((u) => {
            if (coming.current) return;
            if (u.docChanged) type(u.state.doc.toString());
            if (u.selectionSet && !u.docChanged && u.view.hasFocus) {
              const now = desk.get();
              const line = u.state.doc.lineAt(u.state.selection.main.head).number;
              if (now.fresh && now.sheet) select(stepOn(now.sheet.steps, line) ?? "");
            }
          }),
        ],
      }),
    });
    view.current = v;
    return () => {
      v.destroy();
      view.current = null;
    };
  }, [d.file, still]);

  useEffect(() => {
    const v = view.current;
    if (!v) return;
    const now = v.state.doc.toString();
    if (now === d.text) return;
    let from = 0;
    const most = Math.min(now.length, d.text.length);
    while (from < most && now[from] === d.text[from]) from++;
    let end = 0;
    while (end < most - from && now[now.length - 1 - end] === d.text[d.text.length - 1 - end]) end++;
    coming.current = true;
    v.dispatch({ changes: { from, to: now.length - end, insert: d.text.slice(from, d.text.length - end) } });
    coming.current = false;
  }, [d.text]);

  useEffect(() => {
    const v = view.current;
    if (!v || !d.fresh || !d.sheet) return;
    v.dispatch(setDiagnostics(v.state, diagnostics(v.state.doc, d.file, d.sheet.problems)));
  }, [d.sheet, d.fresh, d.file]);

  useEffect(() => {
    const v = view.current;
    if (!v || !d.fresh) return;
    const step = stepAt(d.sheet, d.selected);
    const effects: StateEffect<unknown>[] = [showStep.of(step?.span ?? null)];
    if (step && !v.hasFocus) effects.push(EditorView.scrollIntoView(offset(v.state.doc, step.span.line, 1), { y: "center" }));
    v.dispatch({ effects });
  }, [d.selected, d.sheet, d.fresh]);

  useEffect(() => {
    const goTo = (e: Event) => {
      const { line, column } = (e as CustomEvent<{ line: number; column: number }>).detail;
      const v = view.current;
      if (!v) return;
      const at = offset(v.state.doc, line, column);
      v.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      v.focus();
    };
    addEventListener("sluice:line", goTo);
    return () => removeEventListener("sluice:line", goTo);
  }, []);

  return <div className="code" ref={host} />;
}
