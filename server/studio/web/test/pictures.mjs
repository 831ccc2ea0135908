// Takes the pictures of each view, light and dark, to ../pictures. Arguments name the views to take; none takes all.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { palette } from "./palette.mjs";
import { box, drawn, raise, until } from "./stage.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../pictures");
const password = "a ferry across the river";
const signIn = "#/flow/auth/sign-in.yaml";

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** fill gives the server something to show. */
async function fill(stage, base) {
  const call = (path, body, session = "") => fetch(base + path, { method: "POST", headers: { "Content-Type": "application/json", "User-Agent": browser, ...(session ? { Session: session } : {}) }, body: body && JSON.stringify(body) });
  const does = async (name, body) => (await fetch(base + "/_studio/api/do/" + name, { method: "POST", headers: { "X-Studio": "1", "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
  const people = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Barbara Liskov"];
  for (const name of people) await does("user.add", { email: name.split(" ")[0].toLowerCase() + "@example.com", name, password, groups: name.startsWith("Ada") ? ["admin", "beta"] : name.startsWith("Alan") ? ["beta"] : [] });
  const up = await (await call("/auth/sign-up", { email: "edsger@example.com", name: "Edsger Dijkstra", password })).json();
  await call("/auth/verify-email", null, up.session.token);
  for (const who of ["ada", "grace", "ada", "nobody", "alan"]) await call("/auth/sign-in", { email: who + "@example.com", password: who === "alan" ? "a guess" : password });
  for (const [name, scope] of [["nightly import", "full"], ["price feed", "readOnly"]]) await does("key.add", { name, scope });
}

async function ran(p) {
  await drawn(p);
  await p.locator(".run-form").getByLabel(/^email/).fill("ada@example.com");
  await p.locator(".run-form").getByLabel(/^password/).fill(password);
  await p.keyboard.press("Control+Enter");
  await p.locator(".trace-step", { hasText: "proof" }).click();
  await p.getByRole("button", { name: "Show the whole flow" }).click();
}

async function misspelt(p) {
  await drawn(p);
  await p.keyboard.press("Alt+2");
  await p.locator(".cm-line", { hasText: "password: $body.password" }).click();
  await p.keyboard.press("End");
  await p.keyboard.press("ArrowLeft");
  await p.keyboard.type("s");
  await p.keyboard.press("Escape"); // shuts what completes the word
  for (const key of ["Home", "Home"]) await p.keyboard.press(key); // to the first letter, and to the margin
  await p.keyboard.press("Alt+4");
  await p.locator(".drawer-bar .chip.bad").waitFor();
}

async function live(p) {
  await drawn(p);
  await p.getByRole("tab", { name: /^Live/ }).click();
  await p.getByRole("button", { name: "Live", exact: true }).click();
  await until(async () => /p50/.test(await p.locator(".canvas").innerText()), "times are shown");
}

/** named says where the flows are: not in a folder of the moment. */
const named = (p, where, folder) => p.locator(where).evaluate((e, text) => (e.textContent = text), folder);

const views = {
  home: ["", async (p) => (await p.locator(".figures").waitFor(), await named(p, ".page-head code", "ferry/flows"))],
  flow: [signIn, async (p) => (await drawn(p), await box(p, "steps/1").click(), await p.getByRole("heading", { name: "password.check" }).waitFor())],
  text: [signIn, async (p) => (await drawn(p), await p.keyboard.press("Alt+2"), await p.locator(".cm-content").waitFor())],
  blocks: ["#/flow/examples/shop/checkout.yaml", drawn],
  nodes: [signIn, async (p) => (await drawn(p), await box(p, "steps/0").click(), await p.keyboard.press("a"), await p.getByRole("dialog").waitFor(), await p.keyboard.type("mail"))],
  problems: [signIn, misspelt],
  run: [signIn, ran],
  live: [signIn, live],
  tests: [
    "#/tests",
    async (p) => {
      await p.getByRole("button", { name: "Run all" }).click();
      await p.getByText(/ways through the flows are tested/).waitFor({ timeout: 60_000 });
    },
  ],
  coverage: [
    "#/tests",
    async (p) => {
      const file = p.locator(".test-file", { hasText: "auth/sign-in.test.yaml" });
      await file.locator("summary").click();
      await file.getByRole("button", { name: "Coverage on the canvas" }).click();
      await drawn(p);
    },
  ],
  endpoints: ["#/endpoints", (p) => p.locator(".grid-row").nth(2).waitFor()],
  reference: ["#/reference", async (p) => (await p.locator(".operation").waitFor(), await p.locator(".reference-list").getByRole("button", { name: /POST \/auth\/sign-in$/ }).click())],
  users: ["#/users", (p) => p.locator(".table").waitFor()],
  user: ["#/users", async (p) => (await p.getByRole("link", { name: "edsger@example.com" }).click(), await p.locator(".table").waitFor())],
  keys: ["#/keys", (p) => p.locator(".table").waitFor()],
  audit: ["#/audit", async (p) => (await p.locator(".audit").waitFor(), await p.getByRole("button", { name: "Verify the chain" }).click(), await p.locator(".verify .good").waitFor())],
  mailbox: ["#/mailbox", (p) => p.locator(".mail-text, .mail-html").first().waitFor()],
  shortcuts: [signIn, async (p) => (await drawn(p), await p.keyboard.press("?"), await p.getByRole("dialog").waitFor())],
};

/** take makes a picture of few colours. */
async function take(p, file) {
  await p.mouse.move(720, 2); // off whatever would show a tip
  await p.waitForTimeout(400); // for what slides to its place
  writeFileSync(file, palette(await p.screenshot()));
}

const stage = await raise();
try {
  mkdirSync(folder, { recursive: true });
  const only = process.argv.slice(2);
  const { base } = await stage.aside("ferry", null);
  const empty = await stage.aside("new", {});
  await fill(stage, base);
  for (const theme of ["light", "dark"]) {
    for (const [name, [hash, ready]] of Object.entries({ ...views, first: ["", async (p) => (await p.locator(".first").waitFor(), await named(p, ".first > p code", "new/flows"))] })) {
      if (only.length > 0 && !only.includes(name)) continue;
      const p = await stage.page(hash, { theme, base: name === "first" ? empty.base : base });
      await ready(p);
      await take(p, join(folder, `${name}-${theme}.png`));
      await p.context().close();
      console.log(`${name}-${theme}.png`);
    }
  }
} finally {
  await stage.lower();
}
