import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { box, drawn, until } from "../stage.mjs";

const text = `about: Say a word.
endpoint: GET /word-%
session: none
steps:
  - let: {n: 1}
  - respond: 200
    body: {n: $n}
`;

let made = 0;

async function fresh({ stage, page }) {
  const name = `disk/word${++made}.yaml`;
  await stage.write(name, text.replaceAll("%", String(made)));
  const p = await page("#/flow/" + name);
  await drawn(p);
  return { p, name };
}

/** change edits the flow in the studio: it makes a copy of its first step. */
async function change(p) {
  await box(p, "steps/0").click();
  await p.keyboard.press("Control+d");
  await until(async () => (await p.locator(".box.let").count()) === 2, "the copy is there");
}

export default {
  "a saved flow is served": async ({ stage, page }) => {
    const { p, name } = await fresh({ stage, page });
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-line", { hasText: "let: {n: 1}" }).click();
    await p.keyboard.press("End");
    await p.keyboard.press("ArrowLeft");
    await p.keyboard.press("Backspace");
    await p.keyboard.type("7");
    await p.keyboard.press("Control+s");
    await p.getByText("Saved, and served.").waitFor();
    assert.match(stage.read(name), /n: 7/);
    const path = /GET (\S+)/.exec(stage.read(name))[1];
    await until(async () => (await (await stage.call("GET", path)).json()).n === 7, "the new answer is served");
  },
  "a draft outlives a reload": async (t) => {
    const { p } = await fresh(t);
    await change(p);
    await p.reload();
    await p.getByText("Your changes that were not saved are back.").waitFor();
    await until(async () => (await p.locator(".box.let").count()) === 2, "the copy is still there");
  },
  "a file that changes on the disk is shown at once": async (t) => {
    const { p, name } = await fresh(t);
    writeFileSync(t.stage.file(name), t.stage.read(name).replace("  - respond", "  - let: {m: 2}\n  - respond"));
    await until(async () => (await p.locator(".box.let").count()) === 2, "the new step is drawn");
  },
  "a save over another change is refused, and merged": async (t) => {
    const { p, name } = await fresh(t);
    await change(p);
    writeFileSync(t.stage.file(name), t.stage.read(name).replace("Say a word.", "Say two words."));
    await p.getByText("The file has changed on the disk since you began.").waitFor();
    await p.keyboard.press("Control+s");
    await p.getByRole("dialog", { name: /has changed on the disk/ }).waitFor();
    await p.getByRole("button", { name: "Take the merged text" }).click();
    await p.keyboard.press("Control+s");
    await p.getByText(/^Saved/).first().waitFor();
    const now = t.stage.read(name);
    assert.match(now, /Say two words\./);
    assert.equal(now.match(/let:/g).length, 2);
  },
  "what both changed is decided place by place": async (t) => {
    const { p, name } = await fresh(t);
    await p.locator(".panel").getByLabel("about").fill("Mine.");
    await p.locator(".panel").getByLabel("about").blur();
    await until(async () => (await p.locator(".unsaved").count()) > 0, "it is changed");
    writeFileSync(t.stage.file(name), t.stage.read(name).replace("Say a word.", "Theirs."));
    await p.getByText("The file has changed on the disk since you began.").waitFor();
    await p.keyboard.press("Control+s");
    await p.getByRole("button", { name: "The disk’s", exact: true }).click();
    await p.getByRole("button", { name: "Take the merged text" }).click();
    await p.keyboard.press("Control+s");
    await until(() => t.stage.read(name).includes("about: Theirs."), "theirs is on the disk");
  },
  "two tabs: what one saves, the other shows": async ({ stage, page }) => {
    const { p, name } = await fresh({ stage, page });
    const other = await page("#/flow/" + name);
    await drawn(other);
    await change(p);
    await p.keyboard.press("Control+s");
    await p.getByText(/^Saved/).first().waitFor();
    await until(async () => (await other.locator(".box.let").count()) === 2, "the other tab has it");
  },
  "a new flow is made, served and opened": async ({ stage, page }) => {
    const p = await page();
    await p.getByRole("button", { name: "New flow" }).first().click();
    await p.getByLabel("Endpoint").fill("/disk/brand-new/{id}");
    await p.getByLabel("About", { exact: true }).fill("Something new.");
    await p.getByRole("radio", { name: "none" }).click();
    await p.getByRole("button", { name: "Make it" }).last().click();
    await drawn(p);
    await until(async () => (await stage.call("GET", "/disk/brand-new/7")).status === 200, "it is served");
  },
  "a flow is renamed with its address": async (t) => {
    const { p, name } = await fresh(t);
    await p.locator(".tree-row", { hasText: name.replace(/^.*\/|\.yaml$/g, "") }).click({ button: "right" });
    await p.getByRole("menuitem", { name: "Rename or move" }).click();
    await p.getByLabel("File").fill(name.replace("word", "moved"));
    await p.getByRole("button", { name: "Move" }).click();
    await until(() => p.url().includes("moved"), "the address follows");
  },
  "a flow is deleted after a question": async (t) => {
    const { p, name } = await fresh(t);
    await p.locator(".tree-row", { hasText: name.replace(/^.*\/|\.yaml$/g, "") }).click({ button: "right" });
    await p.getByRole("menuitem", { name: "Delete" }).click();
    await p.getByRole("button", { name: "Delete the file" }).click();
    await until(async () => !(await t.stage.api("app")).flows.some((f) => f.file === name), "it is gone");
  },
  "an empty application leads to its first endpoint": async ({ stage, page }) => {
    const empty = await stage.aside("empty", { "errors.yaml": "gone:\n  status: 410\n  message: It is gone.\n" });
    const p = await page("", { base: empty.base });
    await p.getByRole("heading", { name: "Your first endpoint" }).waitFor();
    await p.getByRole("button", { name: /Say hello/ }).click();
    await drawn(p);
    await until(async () => (await (await fetch(empty.base + "/hello/Ada")).json()).greeting === "Hello, Ada.", "it answers");
  },
};
