import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { box, drawn, textOf, until } from "../stage.mjs";

const password = "a ferry across the river";

/** guarded is a server whose studio is for the group beta, with somebody who is in it and somebody who is not. */
async function guarded(stage) {
  const { base, app } = await stage.aside("guarded", null, ["--studio-group", "beta"]);
  const call = (path, body, session = "") => fetch(base + path, { method: "POST", headers: { "Content-Type": "application/json", ...(session ? { Session: session } : {}) }, body: body && JSON.stringify(body) });
  for (const name of ["inside", "outside"]) assert.ok((await call("/auth/sign-up", { email: name + "@example.com", password })).ok);
  execFileSync(stage.binary, ["user", "groups", "inside@example.com", "--groups", "beta", "--data", join(app, "data")], { cwd: app });
  return { base, call };
}

/** enter signs in as somebody. */
async function enter(p, name, word = password) {
  await p.getByLabel("E-mail").fill(name + "@example.com");
  await p.getByLabel("Password").fill(word);
  await p.keyboard.press("Enter");
}

export default {
  "with a group the studio asks for a sign-in by the application's own flow": async ({ stage, page }) => {
    const { base, call } = await guarded(stage);
    const p = await page("", { base });
    await p.getByText("The studio is for sessions of the group beta.").waitFor();
    assert.equal(await p.locator(".top").count(), 0);
    await enter(p, "inside", "wrong");
    await p.getByRole("alert").waitFor();
    await enter(p, "outside");
    await p.getByText("The session that you have is not good for the studio.").waitFor();
    await enter(p, "inside");
    await p.locator(".top .chip", { hasText: "production" }).waitFor();
    await p.evaluate(() => (location.hash = "#/flow/auth/sign-in.yaml"));
    await drawn(p);
    await p.reload();
    await drawn(p); // the session lasts as long as the tab
    const token = await p.evaluate(() => sessionStorage.getItem("sluice.studio.token"));
    assert.equal((await call("/auth/sign-out", null, token)).ok, true);
    await p.evaluate(() => (location.hash = "#/users"));
    await p.getByLabel("Password").waitFor(); // the session has ended, and a new one is asked for
  },
  "a studio that is read only shows everything and changes nothing": async ({ stage, page }) => {
    const { base, app } = await stage.aside("still", null, ["--studio-read-only"]);
    const file = app + "/flows/auth/sign-in.yaml";
    const before = readFileSync(file, "utf8");
    const p = await page("#/flow/auth/sign-in.yaml", { base });
    await drawn(p);
    await p.locator(".top .chip", { hasText: "read only" }).waitFor();
    await box(p, "steps/1").click();
    await p.getByRole("heading", { name: "password.check" }).waitFor();
    await p.keyboard.press("Delete");
    await p.keyboard.press("Alt+2");
    await p.locator(".cm-content").click();
    await p.keyboard.type("x");
    await p.keyboard.press("Control+s");
    assert.ok((await textOf(p)).includes("password.check"));
    assert.equal(await p.locator(".unsaved").count(), 0);
    await p.evaluate(() => (location.hash = "#/users"));
    await until(() => p.getByRole("button", { name: "Add a user" }).isDisabled(), "nobody can be added");
    await p.evaluate(() => (location.hash = "#/audit"));
    await p.locator(".audit").waitFor();
    assert.equal(readFileSync(file, "utf8"), before);
  },
};
