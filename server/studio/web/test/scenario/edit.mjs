import assert from "node:assert/strict";
import { box, drawn, lines, textOf, until } from "../stage.mjs";

const greet = `# A greeting, with comments that stay.
about: Greet callers.
endpoint: GET /greet-%/{name}   # the path
session: none

input:
  path:
    name: {type: string, maxLength: 40}

steps:
  # Count first.
  - let: {n: 1}

  - respond: 200               # always
    body: {greeting: "Hello, {$path.name}.", n: $n}
`;

let made = 0;

/** fresh opens a flow of one's own. */
async function fresh({ stage, page }, text = greet) {
  const name = `own/greet${++made}.yaml`;
  await stage.write(name, text.replaceAll("%", String(made)));
  const p = await page("#/flow/" + name);
  await drawn(p);
  return { p, name, before: stage.read(name) };
}

/** saved saves with the keyboard and gives the text on the disk. */
async function saved(p, stage, name) {
  await p.keyboard.press("Control+s");
  await p.getByText(/^Saved/).first().waitFor();
  return stage.read(name);
}

/** drag moves the pointer from one place to another, as a hand does. */
async function drag(p, from, to) {
  await p.mouse.move(from.x, from.y);
  await p.mouse.down();
  for (let i = 1; i <= 8; i++) await p.mouse.move(from.x + ((to.x - from.x) * i) / 8, from.y + ((to.y - from.y) * i) / 8);
  await p.mouse.up();
}

const middle = async (l) => {
  const r = await l.boundingBox();
  return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
};

export default {
  "A adds a step behind the selected one; only its lines are new": async (t) => {
    const { p, name, before } = await fresh(t);
    await box(p, "steps/0").click();
    await p.keyboard.press("a");
    await p.getByRole("dialog", { name: "Add a step" }).waitFor();
    await p.keyboard.type("user.fetch");
    await p.keyboard.press("Enter");
    await p.getByRole("heading", { name: "user.fetch" }).waitFor();
    const { gone, come } = lines(before, await saved(p, t.stage, name));
    assert.deepEqual(gone, []);
    assert.ok(come.some((l) => l.includes("node: user.fetch")), come.join("\n"));
  },
  "a node is dragged from the palette to a place": async (t) => {
    const { p } = await fresh(t);
    await p.getByRole("tab", { name: "Nodes" }).click();
    await p.getByLabel("Search nodes").fill("password.check");
    const from = await middle(p.locator(".palette-item").first());
    const target = await middle(box(p, "steps/1"));
    await drag(p, from, { x: target.x, y: target.y - 26 });
    await p.getByRole("heading", { name: "password.check" }).waitFor();
    assert.match(await box(p, "steps/1").innerText(), /password\.check/);
  },
  "Enter on a node of the palette adds it": async (t) => {
    const { p } = await fresh(t);
    await p.getByRole("tab", { name: "Nodes" }).click();
    await p.getByLabel("Search nodes").fill("let");
    await p.locator(".palette-item").first().press("Enter");
    await until(async () => (await p.locator(".box.let").count()) === 2, "there are two lets");
  },
  "a step is dragged to another place, with its comment": async (t) => {
    const { p, name } = await fresh(t, greet.replace("  - respond", "  - let: {m: 2}\n\n  - respond"));
    const from = await middle(box(p, "steps/0"));
    const to = await middle(box(p, "steps/2"));
    await drag(p, from, { x: to.x, y: to.y - 24 });
    await until(async () => (await box(p, "steps/0").innerText()).includes("$m"), "the second let is first");
    const text = await saved(p, t.stage, name);
    assert.match(text, /m: 2\}[\s\S]*# Count first\.\n  - let: \{n: 1\}/);
  },
  "Alt and arrows move a step, and it stays selected": async (t) => {
    const { p } = await fresh(t, greet.replace("  - respond", "  - let: {m: 2}\n\n  - respond"));
    await box(p, "steps/0").click();
    await p.keyboard.press("Alt+ArrowDown");
    await until(async () => (await box(p, "steps/1").innerText()).includes("$n"), "it is second");
    await p.keyboard.press("Alt+ArrowUp");
    await until(async () => (await box(p, "steps/0").innerText()).includes("$n"), "it is first again");
  },
  "Delete removes a step and its comment, Ctrl Z brings both back": async (t) => {
    const { p, before } = await fresh(t, greet.replace(", n: $n", ""));
    await box(p, "steps/0").click();
    await p.keyboard.press("Delete");
    await until(async () => (await p.locator(".box.let").count()) === 0, "it is gone");
    await p.keyboard.press("Control+z");
    await until(async () => (await p.locator(".box.let").count()) === 1, "it is back");
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-content").waitFor();
    assert.ok((await textOf(p)).includes("# Count first."));
    assert.ok(before.includes("# Count first."));
    assert.ok(await p.getByRole("button", { name: "Save", exact: true }).isDisabled());
  },
  "Ctrl D duplicates a step": async (t) => {
    const { p } = await fresh(t);
    await box(p, "steps/0").click();
    await p.keyboard.press("Control+d");
    await until(async () => (await p.locator(".box.let").count()) === 2, "there are two");
  },
  "the place between two steps opens the palette": async (t) => {
    const { p } = await fresh(t);
    await p.locator(".slot").nth(1).click({ force: true });
    await p.getByRole("dialog", { name: "Add a step" }).waitFor();
    await p.keyboard.press("Escape");
    assert.equal(await p.getByRole("dialog").count(), 0);
  },
  "a step is put into an if from its menu": async (t) => {
    const { p } = await fresh(t);
    await box(p, "steps/0").click({ button: "right" });
    await p.getByRole("menuitem", { name: "Put into an if" }).click();
    await p.locator(".box.choice").waitFor();
  },
  "typing in the text draws anew": async (t) => {
    const { p } = await fresh(t);
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-content").click();
    await p.keyboard.press("Control+End");
    await p.locator(".cm-line", { hasText: "let: {n: 1}" }).click();
    await p.keyboard.press("End");
    await p.keyboard.press("Enter");
    await p.keyboard.press("Shift+Home");
    await p.keyboard.type("  - let: {typed: 5}");
    await until(async () => (await p.locator(".box.let").count()) === 2, "the typed step is drawn");
  },
  "one history: a gesture and typing are undone in turn": async (t) => {
    const { p } = await fresh(t);
    await box(p, "steps/0").click();
    await p.keyboard.press("Control+d");
    await until(async () => (await p.locator(".box.let").count()) === 2, "the copy is there");
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-line", { hasText: "about" }).click();
    await p.keyboard.press("End");
    await p.keyboard.type(" Kindly.");
    await p.keyboard.press("Control+z");
    await until(async () => !(await textOf(p)).includes("Kindly"), "the typing is undone");
    assert.equal(await p.locator(".box.let").count(), 2);
    await p.keyboard.press("Control+z");
    await until(async () => (await p.locator(".box.let").count()) === 1, "the copy is undone");
    await p.keyboard.press("Control+Shift+Z");
    await until(async () => (await p.locator(".box.let").count()) === 2, "the copy is there again");
  },
  "a text that is no YAML is told, and what was drawn stays": async (t) => {
    const { p } = await fresh(t);
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-line", { hasText: "session: none" }).click();
    await p.keyboard.press("End");
    await p.keyboard.type(" {[");
    await p.getByRole("button", { name: /problem/ }).first().waitFor();
    assert.ok((await p.locator(".box").count()) > 2);
  },
  "a broken reference is shown at its node, its field and its line": async (t) => {
    const { p } = await fresh(t);
    await box(p, "steps/1").click();
    await p.locator(".panel").getByLabel("n", { exact: true }).fill("$m");
    await p.keyboard.press("Enter");
    await p.locator('[id="box:steps/1"].wrong').waitFor();
    await p.locator(".panel .wrong").first().waitFor();
    await p.keyboard.press("Alt+4");
    await p.locator(".problem").first().click();
    await p.locator(".cm-lintRange-error").first().waitFor();
  },
  "the cursor in the text selects the step on the canvas": async (t) => {
    const { p } = await fresh(t);
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-line", { hasText: "let: {n: 1}" }).click();
    await p.locator('[id="box:steps/0"].selected').waitFor();
  },
  "the text completes references": async (t) => {
    const { p } = await fresh(t);
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-line", { hasText: "let: {n: 1}" }).click();
    await p.keyboard.press("End");
    await p.keyboard.press("ArrowLeft");
    await p.keyboard.press("Backspace");
    await p.keyboard.type("$path.");
    await p.locator(".cm-tooltip-autocomplete li", { hasText: "name" }).first().waitFor();
  },
  "sign-in is built from an empty flow with mouse and keyboard, and the file has exactly its lines": async ({ stage, page }) => {
    const name = "own/sign-in.yaml";
    await stage.write(name, "about: Sign a user in.\nendpoint: POST /own/sign-in\nsession: none\n\ninput:\n  body:\n    email: {type: string, format: email}\n    password: {type: string, format: password}\n\nsteps:\n  - respond: 200\n");
    const p = await page("#/flow/" + name);
    await drawn(p);
    const panel = p.locator(".panel");
    /** add puts a step in front of the answer. */
    const add = async (word, place) => {
      await box(p, place).click();
      await p.keyboard.press("Shift+A");
      await p.keyboard.type(word);
      await p.keyboard.press("Enter");
      await panel.getByRole("heading", { name: word }).waitFor();
    };
    const fill = async (field, text) => {
      await panel.getByRole("combobox", { name: field, exact: true }).fill(text);
      await p.keyboard.press("Enter");
      await until(async () => (await p.locator(".form[aria-busy=true]").count()) === 0, field + " is written");
    };
    await add("user.fetch", "steps/0");
    await fill("email", "$body.email");
    await panel.getByRole("button", { name: /^Outcome notFound/ }).click();
    await p.getByRole("menuitem", { name: "Go on without a result" }).click();
    await panel.getByRole("button", { name: /^Outcome notFound: goes on/ }).waitFor();
    await add("password.check", "steps/1");
    await fill("user", "$user");
    await panel.getByText(/more parameters?/).click();
    await fill("account", "$body.email");
    await fill("password", "$body.password");
    await panel.getByRole("button", { name: /^Outcome mismatch/ }).click();
    await p.getByRole("menuitem", { name: /^Fail: invalid_credentials/ }).click();
    await box(p, "steps/1/on/mismatch/0").waitFor();
    await add("session.create", "steps/2");
    await until(async () => (await p.locator(".box.wrong").count()) === 0, "nothing is wrong");
    const text = await saved(p, stage, name);
    for (const line of ["node: user.fetch", "email: $body.email", "notFound: continue", "node: password.check", "- fail: invalid_credentials", "node: session.create", "userId: $"]) assert.ok(text.includes(line), line + " is not in\n" + text);
    const shown = lines("about: Sign a user in.\nendpoint: POST /own/sign-in\nsession: none\n", text);
    assert.deepEqual(shown.gone, []);
  },
};
