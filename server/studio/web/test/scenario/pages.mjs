import assert from "node:assert/strict";
import { drawn, until } from "../stage.mjs";

const password = "a ferry across the river";

export default {
  "endpoints are searched": async ({ page }) => {
    const p = await page("#/endpoints");
    const count = async () => parseInt(await p.locator(".page-head p").innerText(), 10);
    const all = await count();
    await p.getByLabel("Search endpoints").fill("sign-in");
    await until(async () => (await count()) < all / 2, "few are left");
    await p.getByRole("link", { name: "/auth/sign-in", exact: true }).waitFor();
  },
  "an endpoint is tried over HTTP": async ({ page }) => {
    const p = await page("#/endpoints");
    await p.getByLabel("Search endpoints").fill("/auth/sign-in");
    await p.locator(".grid-row", { has: p.getByRole("link", { name: "/auth/sign-in", exact: true }) }).getByRole("button", { name: "Try it" }).click();
    await p.getByRole("button", { name: "Send" }).click();
    await p.locator(".try-answer .status", { hasText: "401" }).waitFor();
  },
  "the reference lists exactly the errors of an operation": async ({ page }) => {
    const p = await page("#/reference");
    await p.locator(".reference-list").getByRole("button", { name: /POST \/auth\/sign-in$/ }).click();
    await p.locator(".operation", { hasText: "/auth/sign-in" }).waitFor();
    await p.locator(".answer-doc", { hasText: "401" }).locator("summary").click();
    await p.locator(".answer-doc code", { hasText: "invalid_credentials" }).waitFor();
  },
  "users are added and shown": async ({ page }) => {
    const p = await page("#/users");
    await p.getByRole("button", { name: "Add a user" }).click();
    await p.getByLabel("E-mail").fill("page@example.com");
    await p.getByLabel("Password").fill(password);
    await p.getByLabel("Groups").fill("beta");
    await p.keyboard.press("Enter");
    await p.getByRole("link", { name: "page@example.com" }).click();
    await p.getByRole("heading", { name: "page@example.com" }).waitFor();
  },
  "a weak password is refused with the reason": async ({ page }) => {
    const p = await page("#/users");
    await p.getByRole("button", { name: "Add a user" }).click();
    await p.getByLabel("E-mail").fill("weak@example.com");
    await p.getByLabel("Password").fill("password12345678");
    await p.keyboard.press("Enter");
    await p.getByRole("dialog").getByRole("alert").waitFor();
  },
  "a session is ended, and dead at once": async ({ stage, page }) => {
    const up = await (await stage.call("POST", "/auth/sign-up", { email: "ends@example.com", password })).json();
    const p = await page("#/users/" + up.user.id);
    await p.getByRole("button", { name: /^End the session from/ }).click();
    await p.getByText("The session has ended.").waitFor();
    assert.equal((await stage.call("GET", "/auth/me", undefined, { Session: up.session.token })).status, 401);
  },
  "a user is shut out and let in again": async ({ stage, page }) => {
    const up = await (await stage.call("POST", "/auth/sign-up", { email: "shut@example.com", password })).json();
    const p = await page("#/users/" + up.user.id);
    await p.getByRole("button", { name: "Disable" }).click();
    await p.getByRole("button", { name: "Enable" }).click();
    await p.getByRole("button", { name: "Disable" }).waitFor();
  },
  "a key is made, shown once, suspended and ended": async ({ page }) => {
    const p = await page("#/keys");
    await p.getByRole("button", { name: "Make a key" }).click();
    await p.getByLabel("Name").fill("importer");
    await p.getByRole("button", { name: "Make it" }).click();
    assert.match(await p.locator(".secret-shown").innerText(), /^slk_/);
    await p.getByRole("button", { name: "I have it" }).click();
    await p.getByRole("button", { name: "Suspend importer" }).click();
    await p.getByRole("button", { name: "Resume importer" }).waitFor();
    await p.getByRole("button", { name: "End importer" }).click();
    await until(async () => (await p.getByText("importer").count()) === 0, "it is gone");
  },
  "the audit log tells what was done with a user": async ({ stage, page }) => {
    const up = await (await stage.call("POST", "/auth/sign-up", { email: "trail@example.com", password })).json();
    const p = await page("#/users/" + up.user.id);
    await p.getByRole("button", { name: "Disable" }).click();
    await p.getByRole("button", { name: "Enable" }).waitFor();
    await p.getByRole("link", { name: "Audit log" }).click();
    const kinds = p.locator(".audit tbody b");
    await until(async () => (await kinds.allInnerTexts()).includes("userDisabled"), "the event is listed");
    await p.getByLabel("Kind of event").selectOption("userDisabled");
    await until(async () => (await kinds.allInnerTexts()).join() === "userDisabled", "only that kind is listed");
    await p.getByRole("button", { name: /^Details of/ }).click();
    await p.locator(".audit .facts", { hasText: up.user.id }).waitFor();
    await p.getByLabel("Who did it").fill("nobody@example.com");
    await p.keyboard.press("Enter");
    await p.getByText("Nothing of this kind has happened in this time.").waitFor();
  },
  "the audit log is paged, and its chain verified": async ({ stage, page }) => {
    for (let i = 0; i < 30; i++) {
      const key = await stage.api("do/key.add", { name: "paged " + i, scope: "full" });
      await stage.api("do/key.end", { id: key.id });
    }
    const p = await page("#/audit?since=all&kind=");
    const first = () => p.getByRole("button", { name: /^Details of/ }).first().getAttribute("aria-label");
    const began = await first();
    await p.getByRole("button", { name: "Later" }).click();
    await until(async () => (await first()) !== began, "the next page is shown");
    await p.getByRole("button", { name: "Earlier" }).click();
    await until(async () => (await first()) === began, "the page before is shown again");
    await p.getByRole("button", { name: "Verify the chain" }).click();
    await p.getByText(/^All \d+ events are as they were written\.$/).waitFor();
  },
  "mails are read, and their links can be followed": async ({ stage, page }) => {
    const up = await (await stage.call("POST", "/auth/sign-up", { email: "mail@example.com", password })).json();
    await stage.call("POST", "/auth/verify-email", undefined, { Session: up.session.token });
    const p = await page("#/mailbox");
    await p.getByRole("button", { name: /mail@example\.com/ }).first().click();
    await p.locator(".mail-text").waitFor();
  },
  "tests run, and their coverage is on the canvas": async ({ page }) => {
    const p = await page("#/tests");
    await p.getByRole("button", { name: "Run all" }).click();
    await p.getByText(/ways through the flows are tested/).waitFor({ timeout: 60_000 });
    const file = p.locator(".test-file", { hasText: "auth/sign-in.test.yaml" });
    await file.locator("summary").click();
    await file.getByRole("button", { name: "Coverage on the canvas" }).click();
    await drawn(p);
    await until(async () => /×\d/.test(await p.locator(".canvas").innerText()), "counts are shown");
  },
};
