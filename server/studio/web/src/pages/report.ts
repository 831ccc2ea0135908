import { api } from "../api";
import { cell } from "../cell";
import { tellError } from "../part/note";
import type { TestFile, TestReport } from "../wire";

/** What is known of the tests. */
export interface Report {
  report: TestReport | null;
  running: boolean;
  done: TestFile[]; // of the run that is under way
}

export const report = cell<Report>({ report: null, running: false, done: [] });

export async function lastReport() {
  try {
    const found = await api.report();
    report.change((r) => ({ ...r, report: r.report ?? found }));
  } catch {
    // There is none before the first run.
  }
}

/** runTests runs all tests, those of a flow, or one. */
export async function runTests(file = "", name = "") {
  if (report.get().running) return;
  report.change((r) => ({ ...r, running: true, done: [] }));
  try {
    await api.test(
      file,
      name,
      (f) => report.change((r) => ({ ...r, done: [...r.done, f] })),
      (got) => report.change((r) => ({ ...r, report: file && r.report ? merged(r.report, got) : got })),
    );
  } catch (e) {
    tellError(e);
  } finally {
    report.change((r) => ({ ...r, running: false, done: [] }));
  }
}

/** merged puts a run of some tests into the report of all. */
function merged(all: TestReport, some: TestReport): TestReport {
  const files = new Map(all.files.map((f) => [f.file, f]));
  for (const f of some.files) {
    const before = files.get(f.file);
    const names = new Set(f.tests.map((t) => t.name));
    files.set(f.file, before ? { ...f, tests: before.tests.some((t) => !names.has(t.name)) ? before.tests.map((t) => f.tests.find((n) => n.name === t.name) ?? t) : f.tests } : f);
  }
  const flows = new Map(all.flows.map((f) => [f.file, f]));
  for (const f of some.flows) flows.set(f.file, f);
  const tests = [...files.values()].flatMap((f) => f.tests);
  const failed = tests.filter((t) => t.fails.length > 0).length;
  const covers = [...flows.values()];
  return { ...all, files: [...files.values()], flows: covers, failed, passed: tests.length - failed, ways: covers.reduce((n, f) => n + f.ways, 0), covered: covers.reduce((n, f) => n + f.covered, 0) };
}
