// The stage on which scenarios play: the built server on a copy of the shipped flows, and a browser.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.env.SLUICE_MODULE ?? resolve(dirname(fileURLToPath(import.meta.url)), "../../../..");
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** How long anything may take, in milliseconds: only a failure takes so long, also on a machine that has other work. */
const patience = 25_000;

export const chromiumAt = browsers.find((b) => b && existsSync(b));

/** raise builds and starts everything; lower takes it away again. */
export async function raise() {
  const { chromium } = await import("playwright-core");
  const dir = mkdtempSync(join(tmpdir(), "studio-test-"));
  const binary = process.env.SLUICE ?? join(dir, "sluice");
  if (!process.env.SLUICE) execFileSync("go", ["build", "-o", binary, "./server/cmd/sluice"], { cwd: root, stdio: "inherit" });
  const app = join(dir, "app");
  cpSync(join(root, "flows"), join(app, "flows"), { recursive: true });
  const server = await serve(binary, app);
  const browser = await chromium.launch({ executablePath: chromiumAt, args: flags });
  return new Stage(dir, app, binary, server, browser);
}

/** serve starts a server on a folder and waits until it answers. */
async function serve(binary, app, more = []) {
  const child = spawn(binary, ["serve", "--addr", "127.0.0.1:0", "--data", join(app, "data"), ...more], { cwd: app });
  const base = await new Promise((done, fail) => {
    let said = "";
    const hear = (b) => {
      said += b;
      const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said);
      if (found && said.includes("ready")) done(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", () => fail(new Error("the server ended: " + said)));
    setTimeout(() => fail(new Error("the server was not ready in time: " + said)), 30_000).unref();
  });
  return { child, base };
}

class Stage {
  constructor(dir, app, binary, server, browser) {
    Object.assign(this, { dir, app, binary, server, browser, others: [] });
  }

  get base() {
    return this.server.base;
  }

  /** aside starts another server, on the flows given, or with null on those that are shipped. */
  async aside(name, flows, more = []) {
    const app = join(this.dir, name);
    mkdirSync(join(app, "flows"), { recursive: true });
    if (!flows) cpSync(join(root, "flows"), join(app, "flows"), { recursive: true });
    for (const [file, text] of Object.entries(flows ?? {})) put(join(app, "flows", file), text);
    const server = await serve(this.binary, app, more);
    this.others.push(server);
    return { app, base: server.base };
  }

  file(name) {
    return join(this.app, "flows", name);
  }

  read(name) {
    return readFileSync(this.file(name), "utf8");
  }

  /** tidy takes away what a scenario made, so that its mistakes are not those of the next one. */
  async tidy() {
    for (const folder of ["own", "disk", "run"]) rmSync(this.file(folder), { recursive: true, force: true });
    await until(async () => (await this.api("app")).served, "the flows are served again");
  }

  /** write puts a flow on the disk and waits until the server has seen it. */
  async write(name, text) {
    put(this.file(name), text);
    await until(async () => (await this.api("app")).flows.some((f) => f.file === name), name + " is listed");
  }

  async api(path, body) {
    const r = await fetch(this.base + "/_studio/api/" + path, {
      headers: { "X-Studio": "1", "Content-Type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return r.json();
  }

  call(method, path, body, headers = {}) {
    return fetch(this.base + path, { method, headers: { "Content-Type": "application/json", ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  /** page opens the studio; what the browser complains of fails the scenario when it closes. */
  async page(hash = "", { theme = "light", width = 1440, height = 900, base = this.base, context } = {}) {
    const own = context ?? (await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" }));
    const page = await own.newPage();
    page.setDefaultTimeout(patience);
    page.complaints = [];
    page.on("pageerror", (e) => page.complaints.push(String(e)));
    page.on("console", (m) => {
      if (m.type() === "error" && !/Failed to load resource/.test(m.text())) page.complaints.push(m.text());
    });
    await page.goto(base + "/_studio" + hash);
    await page.locator(".top, .sign-in").first().waitFor();
    return page;
  }

  lower() {
    for (const s of [this.server, ...this.others]) s.child.kill();
    return this.browser.close().finally(() => rmSync(this.dir, { recursive: true, force: true }));
  }
}

function put(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** until waits for something to hold. */
export async function until(holds, what, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error("timed out: " + what);
    await new Promise((r) => setTimeout(r, 40));
  }
}

/** box is the drawn step at a place. */
export const box = (page, place) => page.locator(`[id="box:${place}"]`);

/** open shows a flow and waits for its drawing. */
export async function drawn(page) {
  await page.locator(".canvas .box").first().waitFor();
}

/** listed is a line of the tree, which draws only those that are in view. */
export async function listed(page, name) {
  const line = page.getByRole("treeitem", { name, exact: true });
  await page.getByRole("treeitem").first().waitFor();
  await until(async () => {
    if ((await line.count()) > 0) return true;
    await page.locator(".tree .rows").evaluate((rows) => (rows.scrollTop += rows.clientHeight / 2));
    return false;
  }, name + " is in the tree");
  return line.first();
}

/** lines tells how two texts differ: lines taken away, and lines added. */
export function lines(before, after) {
  const a = before.split("\n");
  const b = after.split("\n");
  const gone = [...a];
  const come = [];
  for (const l of b) {
    const i = gone.indexOf(l);
    if (i >= 0) gone.splice(i, 1);
    else come.push(l);
  }
  return { gone, come };
}

/** textOf is what the editor shows. */
export const textOf = (page) => page.locator(".cm-content").innerText();
