import assert from "node:assert/strict";
import { drawn, listed, until } from "../stage.mjs";

export default {
  "the first page counts endpoints": async ({ page }) => {
    const p = await page();
    await p.getByRole("heading", { level: 1, name: "app" }).waitFor();
    assert.match(await p.locator(".figures").innerText(), /endpoints/);
  },
  "the address opens a flow": async ({ page }) => {
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    assert.match(await p.title(), /^auth\/sign-in\.yaml/);
  },
  "back and forward walk through what was open": async ({ page }) => {
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    await p.evaluate(() => (location.hash = "#/flow/auth/me.yaml"));
    await p.getByRole("heading", { level: 1, name: "/auth/me" }).waitFor();
    await p.goBack();
    await p.getByRole("heading", { level: 1, name: "/auth/sign-in" }).waitFor();
  },
  "the tree opens a flow by a click": async ({ page }) => {
    const p = await page();
    await (await listed(p, "POST sign-up")).click();
    await drawn(p);
    assert.match(p.url(), /auth\/sign-up\.yaml$/);
  },
  "the tree is walked by keys": async ({ page }) => {
    const p = await page();
    await p.getByRole("tree").focus();
    for (const key of ["ArrowDown", "ArrowLeft", "ArrowDown", "ArrowRight", "ArrowDown", "Enter"]) await p.keyboard.press(key);
    await drawn(p);
  },
  "the search finds flows by path and about": async ({ page }) => {
    const p = await page();
    await p.getByLabel("Search flows").fill("basket");
    assert.ok((await p.getByRole("treeitem").count()) >= 2);
    await p.keyboard.press("Enter");
    await drawn(p);
    assert.match(p.url(), /basket/);
  },
  "a folder shuts and opens": async ({ page }) => {
    const p = await page();
    const folder = await listed(p, "auth");
    const sign = p.getByRole("treeitem", { name: "POST sign-in", exact: true });
    await folder.click();
    await until(async () => (await folder.getAttribute("aria-expanded")) === "false" && (await sign.count()) === 0, "it is shut");
    await folder.click();
    await until(async () => (await folder.getAttribute("aria-expanded")) === "true", "it is open");
    await listed(p, "POST sign-in");
  },
  "Ctrl P goes to a flow": async ({ page }) => {
    const p = await page();
    await p.keyboard.press("Control+p");
    await p.keyboard.type("checkout");
    await p.keyboard.press("Enter");
    await drawn(p);
    assert.match(p.url(), /checkout/);
  },
  "Ctrl K does a command": async ({ page }) => {
    const p = await page();
    await p.keyboard.press("Control+k");
    await p.keyboard.type("endpoints");
    await p.keyboard.press("Enter");
    await p.getByRole("heading", { name: "Endpoints", level: 1 }).waitFor();
  },
  "? lists the shortcuts, Escape closes them": async ({ page }) => {
    const p = await page();
    await p.keyboard.press("?");
    await p.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await p.keyboard.press("Escape");
    assert.equal(await p.getByRole("dialog").count(), 0);
  },
  "Ctrl B and Ctrl J hide and show panes": async ({ page }) => {
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    await p.keyboard.press("Control+b");
    assert.equal(await p.getByRole("tree").count(), 0);
    await p.keyboard.press("Control+j");
    assert.equal(await p.locator(".drawer-pane").count(), 0);
  },
  "the theme is changed and remembered": async ({ page }) => {
    const p = await page();
    const theme = () => p.evaluate(() => document.documentElement.dataset.theme);
    assert.equal(await theme(), "light");
    await p.getByLabel(/^Theme/).click();
    await p.getByLabel(/^Theme/).click();
    assert.equal(await theme(), "dark");
    await p.reload();
    assert.equal(await theme(), "dark");
  },
  "a tooltip tells what a button does, with its keys": async ({ page }) => {
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    await p.getByRole("button", { name: "Show the whole flow" }).hover();
    await p.locator(".tip", { hasText: "Show the whole flow" }).waitFor();
  },
  "a flow that is not there is told, and can be made": async ({ page }) => {
    const p = await page("#/flow/nowhere.yaml");
    await p.getByRole("heading", { name: "There is no such flow" }).waitFor();
    await p.getByRole("button", { name: "Make nowhere.yaml" }).waitFor();
  },
  "a server that is away is told": async ({ stage, page }) => {
    const p = await page();
    await p.route("**/_studio/api/flow?**", (r) => r.abort());
    await p.evaluate(() => (location.hash = "#/flow/auth/me.yaml"));
    await p.getByText("The server does not answer. Is it running?").waitFor();
    await p.getByText("server away").waitFor();
  },
  "on a phone the canvas fills the screen, and the form is a press away": async ({ page }) => {
    const p = await page("#/flow/auth/sign-in.yaml", { width: 390, height: 800 });
    await drawn(p);
    assert.ok((await p.locator(".canvas").boundingBox()).width > 380);
    await p.getByRole("radio", { name: "Form" }).click();
    await p.getByRole("textbox", { name: "Path", exact: true }).or(p.getByRole("combobox", { name: "Path" })).first().waitFor();
    assert.ok((await p.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  },
};
