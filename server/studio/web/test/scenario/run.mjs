import assert from "node:assert/strict";
import { box, drawn, until } from "../stage.mjs";

const email = "runner@example.com";
const password = "a ferry across the river";

async function signUp(stage) {
  await stage.call("POST", "/auth/sign-up", { email, password });
}

/** ran runs sign-in with a password. */
async function ran({ stage, page }, word = password) {
  await signUp(stage);
  const p = await page("#/flow/auth/sign-in.yaml");
  await drawn(p);
  const form = p.locator(".run-form");
  await form.getByLabel(/^email/).fill(email);
  await form.getByLabel(/^password/).fill(word);
  await p.keyboard.press("Control+Enter");
  await p.locator(".trace").waitFor();
  return p;
}

export default {
  "a run shows its answer and each step": async (t) => {
    const p = await ran(t);
    assert.match(await p.locator(".trace-bar").innerText(), /200/);
    assert.equal(await p.locator(".trace-step").count(), 5);
  },
  "the ways that were taken are marked on the canvas": async (t) => {
    const p = await ran(t, "wrong");
    assert.match(await p.locator(".trace-bar").innerText(), /401[\s\S]*invalid_credentials/);
    await p.locator('[id="box:steps/1"].mark-good').waitFor();
    await p.locator('[id="box:steps/3"].mark-dim').waitFor({ state: "attached" });
  },
  "secrets are masked": async (t) => {
    const p = await ran(t);
    await p.locator(".trace-step", { hasText: "proof" }).click();
    await p.locator(".trace-details .json-secret").first().waitFor();
    assert.ok(!(await p.locator(".trace-details").innerText()).includes(password));
  },
  "F10 steps forward and back": async (t) => {
    const p = await ran(t);
    await p.keyboard.press("Shift+F10");
    await p.getByText("4/5").waitFor();
    await p.keyboard.press("Shift+F10");
    await p.getByText("3/5").waitFor();
    await p.locator('[id="box:steps/2"].now').waitFor();
    await p.keyboard.press("F10");
    await p.getByText("4/5").waitFor();
  },
  "a text that is not saved is run": async ({ stage, page }) => {
    await stage.write("run/plain.yaml", "about: Say one.\nendpoint: GET /run/plain\nsession: none\nsteps:\n  - let: {n: 1}\n  - respond: 200\n    body: {n: $n}\n");
    const p = await page("#/flow/run/plain.yaml");
    await drawn(p);
    await box(p, "steps/0").click();
    await p.locator(".panel").getByRole("combobox", { name: "n", exact: true }).fill("42");
    await p.keyboard.press("Enter");
    await p.locator(".unsaved").first().waitFor();
    await p.keyboard.press("Control+Enter");
    await p.locator(".trace-details", { hasText: '"n": 42' }).waitFor();
  },
  "a text with a mistake does not run, and says why": async ({ stage, page }) => {
    await stage.write("run/wrong.yaml", "about: Say one.\nendpoint: GET /run/wrong\nsession: none\nsteps:\n  - respond: 200\n    body: {ip: $request.ip}\n");
    const p = await page("#/flow/run/wrong.yaml");
    await drawn(p);
    await box(p, "steps/0").click();
    await p.locator(".panel").getByRole("combobox", { name: "ip", exact: true }).fill("$request.pi");
    await p.keyboard.press("Enter");
    await p.locator(".unsaved").first().waitFor();
    await p.keyboard.press("Control+Enter");
    await p.getByText(/It does not compile, so nothing ran/).waitFor();
  },
  "run to here stops there": async (t) => {
    const p = await ran(t);
    await p.getByRole("button", { name: "Show the whole flow" }).click();
    await box(p, "steps/1").click({ button: "right" });
    await p.getByRole("menuitem", { name: "Run to here" }).click();
    await p.getByText("stopped").waitFor();
    assert.equal(await p.locator(".trace-step").count(), 2);
  },
  "a step is faked": async (t) => {
    const p = await ran(t, "wrong");
    await box(p, "steps/1").click({ button: "right" });
    await p.getByRole("menuitem", { name: "Fake the output" }).click();
    await p.getByLabel("What the step does").selectOption({ label: "leaves by busy" });
    await p.keyboard.press("Control+Enter");
    await p.locator(".trace-bar .status", { hasText: "503" }).waitFor();
  },
  "it is run again from a step": async (t) => {
    const p = await ran(t);
    await p.locator(".trace-step", { hasText: "session" }).click();
    await p.getByRole("button", { name: "Again from here" }).click();
    await p.locator(".trace-step .chip", { hasText: "recorded" }).first().waitFor();
  },
  "a session is made up for a flow that wants one": async ({ page }) => {
    const p = await page("#/flow/examples/beta/join.yaml");
    await drawn(p);
    await p.getByRole("combobox", { name: /^As/ }).selectOption("made");
    await p.keyboard.press("Control+Enter");
    await p.locator(".trace-bar .status").waitFor();
    assert.doesNotMatch(await p.locator(".trace-bar").innerText(), /401/);
  },
  "nobody is refused where a session is wanted": async ({ page }) => {
    const p = await page("#/flow/auth/me.yaml");
    await drawn(p);
    await p.keyboard.press("Control+Enter");
    await p.locator(".trace-bar .status", { hasText: "401" }).waitFor();
  },
  "a run is kept as a test, which passes": async ({ stage, page }) => {
    await stage.write("run/kept.yaml", "about: Say one.\nendpoint: GET /run/kept\nsession: none\nsteps:\n  - respond: 200\n    body: {n: 1}\n");
    const p = await page("#/flow/run/kept.yaml");
    await drawn(p);
    await p.keyboard.press("Control+Enter");
    await p.getByRole("button", { name: "Keep as test" }).click();
    await p.getByLabel("What the endpoint promises").fill("it says one");
    await p.keyboard.press("Enter");
    await p.getByText(/and passes\./).first().waitFor();
    assert.match(stage.read("run/kept.test.yaml"), /it says one/);
  },
  "calls are seen live, with their traces": async ({ stage, page }) => {
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    await p.getByRole("tab", { name: /^Live/ }).click();
    await p.getByRole("img", { name: "connected" }).waitFor();
    await stage.call("POST", "/auth/sign-in", { email: "nobody@example.com", password: "wrong" });
    const row = p.locator(".live-call", { hasText: "invalid_credentials" }).first();
    await row.waitFor();
    await row.click();
    await p.locator(".trace-bar .chip", { hasText: "live" }).waitFor();
  },
  "counts and times stand on the canvas": async ({ stage, page }) => {
    await stage.call("POST", "/auth/sign-in", { email: "nobody@example.com", password: "wrong" });
    const p = await page("#/flow/auth/sign-in.yaml");
    await drawn(p);
    await p.getByRole("button", { name: "Live", exact: true }).click();
    await until(async () => /p50/.test(await p.locator(".canvas").innerText()), "p50 is shown");
  },
};
