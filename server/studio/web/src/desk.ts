import { api, Refusal, theirs } from "./api";
import { cell } from "./cell";
import { keepDraft, keptDraft } from "./draft";
import { tell, tellError } from "./part/note";
import type { Gesture, Sheet, Step, Theirs } from "./wire";
import { appNow, canEdit, refresh } from "./workspace";

/** A Moment is one state of the text in the history. */
interface Moment {
  text: string;
  selected: string | null;
}

/**
 * A Desk holds the text that is open. Canvas, forms and editor show this one text,
 * and all of them change it through here, so there is one history.
 */
export interface Desk {
  file: string;
  text: string;
  sheet: Sheet | null; // of the last text that the server drew
  fresh: boolean; // sheet is of text
  base: string; // the text on the disk, as far as is known
  revision: string;
  behind: boolean; // the disk has another text than base
  gone: boolean; // there is no such file
  loading: boolean;
  busy: boolean; // a gesture or a save is under way
  wrong: string;
  selected: string | null; // place of a step, "" for the head of the flow
  past: Moment[];
  future: Moment[];
  conflict: Theirs | null;
}

const none: Desk = {
  file: "", text: "", sheet: null, fresh: false, base: "", revision: "", behind: false, gone: false, loading: false, busy: false, wrong: "",
  selected: null, past: [], future: [], conflict: null,
};

export const desk = cell<Desk>(none);

const mostMoments = 400;
const together = 700; // milliseconds between keys that are undone as one
let typedAt = 0;
let drawing: AbortController | null = null;
let timer = 0;
let line: Promise<unknown> = Promise.resolve(); // gestures wait for each other

/** Writes what stands in the field that is typed into; null where none is. */
export const typing = cell<(() => void) | null>(null);

/** settled waits until what was typed and done is in the text. */
export async function settled() {
  typing.get()?.();
  await line;
}

export const dirty = (d: Desk) => d.text !== d.base;

function change(part: Partial<Desk>) {
  desk.change((d) => ({ ...d, ...part }));
  const d = desk.get();
  if (d.file && !d.loading && ("text" in part || "base" in part)) {
    keepDraft(d.file, dirty(d) ? { text: d.text, base: d.base, revision: d.revision } : null);
  }
}

/** open shows a file, with the draft that was kept of it. */
export async function open(file: string) {
  if (desk.get().file === file && !desk.get().wrong) return;
  drawing?.abort();
  clearTimeout(timer);
  desk.set({ ...none, file, loading: true });
  try {
    const sheet = await api.flow(file);
    if (desk.get().file !== file) return;
    const draft = keptDraft(file);
    desk.set({ ...none, file, text: sheet.text, base: sheet.text, sheet, fresh: true, revision: sheet.revision, selected: null });
    if (draft && draft.text !== sheet.text) {
      desk.change((d) => ({ ...d, past: [{ text: sheet.text, selected: null }], text: draft.text, fresh: false, base: draft.base, revision: draft.revision, behind: draft.revision !== sheet.revision }));
      tell("Your changes that were not saved are back.");
      void draw();
    } else if (draft) {
      keepDraft(file, null);
    }
  } catch (e) {
    if (desk.get().file !== file) return;
    const missing = e instanceof Refusal && e.status === 404;
    desk.change((d) => ({ ...d, loading: false, gone: missing, wrong: e instanceof Error ? e.message : String(e) }));
  }
}

export function closeDesk() {
  drawing?.abort();
  clearTimeout(timer);
  desk.set(none);
}

/** begin opens a text that is no file yet. */
export async function begin(file: string, text: string) {
  drawing?.abort();
  desk.set({ ...none, file, text, base: "", loading: false });
  keepDraft(file, { text, base: "", revision: "" });
  await draw();
}

/** draw asks for the sheet of the text as it is. */
async function draw() {
  clearTimeout(timer);
  drawing?.abort();
  const mine = (drawing = new AbortController());
  const { file, text } = desk.get();
  try {
    const sheet = await api.draw({ file, text }, mine.signal);
    const d = desk.get();
    if (mine.signal.aborted || d.file !== file) return;
    change({ sheet: sheet.readable || !d.sheet ? sheet : { ...d.sheet, readable: false, problems: sheet.problems, text: d.sheet.text }, fresh: d.text === text, wrong: "" });
  } catch (e) {
    if (!mine.signal.aborted) tellError(e);
  }
}

function soon() {
  clearTimeout(timer);
  timer = window.setTimeout(() => void draw(), 160);
}

function remember(d: Desk): Moment[] {
  return [...d.past.slice(-mostMoments + 1), { text: d.text, selected: d.selected }];
}

/** type takes a text from the editor. Keys in quick succession are undone together. */
export function type(text: string) {
  const d = desk.get();
  if (text === d.text) return;
  const now = performance.now();
  const joined = now - typedAt < together && d.past.length > 0 && d.future.length === 0;
  typedAt = now;
  change({ text, fresh: false, past: joined ? d.past : remember(d), future: [] });
  soon();
}

/** put replaces the whole text, as one change. */
export function put(text: string) {
  const d = desk.get();
  if (text === d.text) return;
  typedAt = 0;
  change({ text, fresh: false, past: remember(d), future: [] });
  void draw();
}

/**
 * gesture has the server change the text, and selects what was made or moved.
 * It gives the place of that, or null where nothing was changed.
 */
export function gesture(edits: Gesture[], select?: string | null): Promise<string | null> {
  const next = line.then(async () => {
    if (!canEdit(appNow())) {
      tell(appNow()?.readOnly ? "The studio is read only here." : "These flows come with Sluice and cannot be changed. Serve a folder of your own.", "bad");
      return null;
    }
    for (let tries = 0; tries < 3; tries++) {
      const { file, text } = desk.get();
      change({ busy: true });
      try {
        const made = await api.edit(file, text, edits);
        const d = desk.get();
        if (d.file !== file) return null;
        if (d.text !== text) continue; // somebody typed meanwhile
        drawing?.abort();
        clearTimeout(timer);
        typedAt = 0;
        const at = select !== undefined ? select : made.at;
        change({
          text: made.text, sheet: made, fresh: true, busy: false, future: [],
          past: made.text === text ? d.past : remember(d),
          selected: select === undefined && made.at === "" && edits.at(-1)?.do !== "delete" ? d.selected : at,
        });
        return made.at;
      } catch (e) {
        change({ busy: false });
        tellError(e);
        return null;
      }
    }
    change({ busy: false });
    return null;
  });
  line = next.catch(() => null);
  return next;
}

function travel(from: "past" | "future", to: "past" | "future") {
  const d = desk.get();
  const moment = d[from].at(-1);
  if (!moment) return;
  typedAt = 0;
  change({ text: moment.text, fresh: false, selected: moment.selected, [from]: d[from].slice(0, -1), [to]: [...d[to], { text: d.text, selected: d.selected }] });
  void draw();
}

export const undo = () => travel("past", "future");
export const redo = () => travel("future", "past");

export function select(place: string | null) {
  if (desk.get().selected !== place) change({ selected: place });
}

/** save writes the text; what changed on the disk meanwhile is shown, never overwritten. */
export async function save(revision = desk.get().revision): Promise<boolean> {
  await settled();
  const d = desk.get();
  if (!d.file || d.busy) return false;
  change({ busy: true });
  try {
    const saved = await api.save(d.file, d.text, revision);
    if (desk.get().file === d.file) change({ busy: false, base: d.text, revision: saved.revision, behind: false, gone: false, conflict: null });
    const wrong = saved.problems.filter((p) => !p.warning).length;
    if (saved.served && !wrong) tell("Saved, and served.", "good");
    else tell(`Saved. The last good version is served until ${wrong === 1 ? "the problem is" : `the ${wrong} problems are`} solved.`);
    void refresh();
    return true;
  } catch (e) {
    const other = theirs(e);
    change({ busy: false, conflict: other, behind: !!other });
    if (!other) tellError(e);
    return false;
  }
}

/** settle ends a conflict with a text that was made from both. */
export async function settle(text: string, other: Theirs) {
  change({ conflict: null, base: other.text, revision: other.revision, behind: false });
  put(text);
}

export function putOff() {
  change({ conflict: null });
}

/** revert goes back to the text on the disk; it can be undone. */
export async function revert() {
  const { file } = desk.get();
  try {
    const sheet = await api.flow(file);
    if (desk.get().file !== file) return;
    put(sheet.text);
    change({ base: sheet.text, revision: sheet.revision, behind: false, conflict: null });
  } catch (e) {
    tellError(e);
  }
}

export async function format() {
  const { file, text } = desk.get();
  try {
    const sheet = await api.format({ file, text });
    if (desk.get().text === text) put(sheet.text);
  } catch (e) {
    tellError(e);
  }
}

/** look compares the open file with the disk, after the server loaded files again. */
export async function look() {
  const { file, revision } = desk.get();
  if (!file || !revision) return;
  try {
    const sheet = await api.flow(file);
    const d = desk.get();
    if (d.file !== file || sheet.revision === d.revision) {
      if (d.file === file && !dirty(d) && d.fresh) change({ sheet });
      return;
    }
    if (dirty(d)) change({ behind: true });
    else change({ text: sheet.text, base: sheet.text, revision: sheet.revision, sheet, fresh: true, behind: false, past: remember(d), future: [] });
  } catch (e) {
    if (e instanceof Refusal && e.status === 404) change({ behind: true });
  }
}

export function stepAt(sheet: Sheet | null, place: string | null): Step | undefined {
  return place ? sheet?.steps.find((s) => s.place === place) : undefined;
}

addEventListener("beforeunload", (e) => {
  const d = desk.get();
  if (!d.file || !dirty(d)) return;
  if (keptDraft(d.file)?.text !== d.text) e.preventDefault(); // the browser keeps no draft
});
