import assert from "node:assert/strict";
import { box, drawn, lines, until } from "../stage.mjs";

const text = `about: Look a user up.
endpoint: POST /look-%
session: none
limit: {rate: 20/min, per: [ip, $body.email]}

input:
  body:
    email: {type: string, format: email}   # where to look

steps:
  # The user, if there is one.
  - id: user
    node: user.fetch
    with: {email: $body.email}

  - respond: 200
    body: {id: $user.id}
`;

let made = 0;

async function fresh({ stage, page }, select = "steps/0") {
  const name = `own/look${++made}.yaml`;
  await stage.write(name, text.replaceAll("%", String(made)));
  const p = await page("#/flow/" + name);
  await drawn(p);
  if (select) await box(p, select).click();
  return { p, name, before: stage.read(name), panel: p.locator(".panel") };
}

async function saved(p, stage, name) {
  await p.keyboard.press("Control+s");
  await p.getByText(/^Saved/).first().waitFor();
  return stage.read(name);
}

export default {
  "changing one value changes one line": async (t) => {
    const { p, panel, name, before } = await fresh(t);
    await panel.getByRole("combobox", { name: "email" }).fill("ada@example.com");
    await p.keyboard.press("Enter");
    await until(() => p.getByRole("button", { name: "Save", exact: true }).isEnabled(), "there is something to save");
    assert.deepEqual(lines(before, await saved(p, t.stage, name)), { gone: ["    with: {email: $body.email}"], come: ["    with: {email: ada@example.com}"] });
  },
  "Ctrl S writes what is still being typed": async (t) => {
    const { p, panel, name } = await fresh(t);
    await panel.getByRole("combobox", { name: "email" }).fill("bob@example.com");
    assert.match(await saved(p, t.stage, name), /email: bob@example\.com/);
  },
  "a field offers the references that fit": async (t) => {
    const { p, panel } = await fresh(t);
    const field = panel.getByRole("combobox", { name: "email" });
    await field.fill("");
    await p.getByRole("option", { name: /\$body\.email/ }).first().waitFor();
    await p.keyboard.press("Escape");
  },
  "renaming a step renames its references": async (t) => {
    const { p, panel, name } = await fresh(t);
    await panel.getByRole("textbox", { name: "id", exact: true }).fill("who");
    await p.keyboard.press("Enter");
    await until(async () => (await box(p, "steps/0").innerText()).includes("$who"), "the box has the new name");
    assert.match(await saved(p, t.stage, name), /- id: who[\s\S]*\{id: \$who\.id\}/);
  },
  "an outcome is led on": async (t) => {
    const { p, panel } = await fresh(t);
    await panel.getByRole("button", { name: /^Outcome notFound/ }).click();
    await p.getByRole("menuitem", { name: "Go on without a result" }).click();
    await panel.getByRole("button", { name: /^Outcome notFound: goes on/ }).waitFor();
  },
  "an outcome is led to a failure, and back to the end of the flow": async (t) => {
    const { p, panel } = await fresh(t);
    await panel.getByRole("button", { name: /^Outcome notFound/ }).click();
    await p.getByRole("menuitem", { name: /^Fail: invalid_credentials/ }).click();
    await box(p, "steps/0/on/notFound/0").waitFor();
    await panel.getByRole("button", { name: /^Outcome notFound/ }).click();
    await p.getByRole("menuitem", { name: /^End the flow/ }).click();
    await until(async () => (await box(p, "steps/0/on/notFound/0").count()) === 0, "the block is gone");
  },
  "an outcome gets steps of its own": async (t) => {
    const { p, panel } = await fresh(t);
    await panel.getByRole("button", { name: /^Outcome notFound/ }).click();
    await p.getByRole("menuitem", { name: "Steps of its own" }).click();
    await p.keyboard.type("respond");
    await p.keyboard.press("Enter");
    await box(p, "steps/0/on/notFound/0").waitFor();
  },
  "a key is added and taken away": async (t) => {
    const { p, panel } = await fresh(t);
    await panel.getByRole("button", { name: "timeout", exact: true }).click();
    await panel.getByRole("combobox", { name: "timeout" }).waitFor();
    await panel.getByRole("button", { name: "Remove timeout" }).click();
    await panel.getByRole("button", { name: "timeout", exact: true }).waitFor();
    assert.equal(await p.getByRole("button", { name: "Save", exact: true }).isDisabled(), true);
  },
  "the head is edited: about, session, path": async (t) => {
    const { p, panel, name } = await fresh(t, "start");
    await panel.getByLabel("about").fill("Find somebody.");
    await panel.getByLabel("about").blur();
    await until(async () => (await p.locator(".unsaved").count()) > 0, "it is changed");
    await panel.getByRole("radio", { name: "optional" }).click();
    await until(async () => (await panel.getByRole("radio", { name: "optional" }).getAttribute("aria-checked")) === "true", "session is optional");
    const now = await saved(p, t.stage, name);
    assert.match(now, /^about: Find somebody\.$/m);
    assert.match(now, /^session: optional$/m);
  },
  "an input field is added, made optional and removed": async (t) => {
    const { p, panel, name } = await fresh(t, "start");
    await panel.getByRole("button", { name: "Add a field to body" }).click();
    await p.getByLabel("Name of the new field of body").fill("note");
    await p.keyboard.press("Enter");
    await panel.getByLabel("Name of note").waitFor();
    await panel.getByRole("button", { name: "note must be sent" }).click();
    await panel.getByRole("button", { name: "note may be left out" }).waitFor();
    assert.match(await saved(p, t.stage, name), /note\?"?: /);
    await panel.getByRole("button", { name: "Remove note" }).click();
    await until(async () => (await panel.getByLabel("Name of note").count()) === 0, "it is gone");
  },
  "renaming an input field renames its references": async (t) => {
    const { p, panel, name } = await fresh(t, "start");
    await panel.getByLabel("Name of email").fill("address");
    await p.keyboard.press("Enter");
    await panel.getByLabel("Name of address").waitFor();
    const now = await saved(p, t.stage, name);
    assert.match(now, /address: \{type: string, format: email\}   # where to look/);
    assert.match(now, /\{email: \$body\.address\}/);
    assert.match(now, /per: \[ip, \$body\.address\]/);
  },
  "the fields of a body are edited one by one": async (t) => {
    const { p, panel, name, before } = await fresh(t, "steps/1");
    await panel.getByRole("combobox", { name: "id", exact: true }).fill("$user.email");
    await p.keyboard.press("Enter");
    await until(() => p.getByRole("button", { name: "Save", exact: true }).isEnabled(), "there is something to save");
    assert.deepEqual(lines(before, await saved(p, t.stage, name)), { gone: ["    body: {id: $user.id}"], come: ["    body: {id: $user.email}"] });
  },
};
