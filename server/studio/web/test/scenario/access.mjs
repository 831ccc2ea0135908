import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { box, drawn } from "../stage.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** clean fails with what axe finds. */
async function clean(p, what) {
  await p.evaluate(axe); // by the protocol, which the page's policy does not bind
  const found = await p.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map((n) => n.target.flat().join(" ") + " " + (n.any[0]?.message ?? "")).join(" | ")}`));
  assert.deepEqual(found, [], what);
}

const views = {
  "the first page": ["", async (p) => p.locator(".figures").waitFor()],
  "a flow": ["#/flow/auth/sign-in.yaml", drawn],
  "a step's form": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await box(p, "steps/1").click(), await p.getByRole("heading", { name: "password.check" }).waitFor())],
  "the text": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await p.keyboard.press("Alt+2"), await p.locator(".cm-content").waitFor())],
  "a run": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await p.keyboard.press("Control+Enter"), await p.locator(".trace").waitFor())],
  "live": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await p.getByRole("button", { name: "Live", exact: true }).click(), await p.getByRole("tab", { name: /^Live/ }).click())],
  "problems": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await p.keyboard.press("Alt+4"))],
  "the nodes": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await p.getByRole("tab", { name: "Nodes" }).click())],
  "the palette": ["#/flow/auth/sign-in.yaml", async (p) => (await drawn(p), await box(p, "steps/0").click(), await p.keyboard.press("a"), await p.getByRole("dialog").waitFor())],
  "a flow with blocks": ["#/flow/examples/shop/checkout.yaml", drawn],
  "the shortcuts": ["", async (p) => (await p.locator(".figures").waitFor(), await p.keyboard.press("?"), await p.getByRole("dialog").waitFor())],
  "the quick box": ["", async (p) => (await p.locator(".figures").waitFor(), await p.keyboard.press("Control+k"), await p.getByRole("dialog").waitFor())],
  "endpoints": ["#/endpoints", async (p) => p.locator(".grid-row").nth(2).waitFor()],
  "the reference": ["#/reference", async (p) => p.locator(".operation").waitFor()],
  "tests": ["#/tests", async (p) => p.locator(".page").waitFor()],
  "users": ["#/users", async (p) => p.locator(".page .table, .page .empty").first().waitFor()],
  "keys": ["#/keys", async (p) => p.locator(".page .table, .page .empty").first().waitFor()],
  "the audit log": [
    "#/audit",
    async (p) => {
      await p.locator(".audit").waitFor();
      await p.getByRole("button", { name: "Verify the chain" }).click();
      await p.getByRole("status").filter({ hasText: "as they were written" }).waitFor();
      await p.getByRole("button", { name: /^Details of/ }).first().click();
      await p.locator(".audit .facts").waitFor();
    },
  ],
  "the mailbox": ["#/mailbox", async (p) => p.locator(".page .reference, .page .empty").first().waitFor()],
};

const scenarios = {};
for (const [name, [hash, ready]] of Object.entries(views)) {
  scenarios[`axe finds nothing on ${name}, light and dark`] = async ({ page }) => {
    for (const theme of ["light", "dark"]) {
      const p = await page(hash, { theme });
      await ready(p);
      await clean(p, theme);
    }
  };
}

export default scenarios;
