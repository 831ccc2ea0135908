// The studio in a browser, against the built server. Without a Chromium it says so and passes.
import { after, before, describe, test } from "node:test";
import { chromiumAt, raise } from "./stage.mjs";
import * as access from "./scenario/access.mjs";
import * as canvas from "./scenario/canvas.mjs";
import * as disk from "./scenario/disk.mjs";
import * as edit from "./scenario/edit.mjs";
import * as form from "./scenario/form.mjs";
import * as guard from "./scenario/guard.mjs";
import * as pages from "./scenario/pages.mjs";
import * as run from "./scenario/run.mjs";
import * as shell from "./scenario/shell.mjs";

const skip = chromiumAt ? false : "there is no Chromium here; CHROMIUM can name one";

describe("studio", { skip, timeout: 900_000 }, () => {
  let stage;
  before(async () => {
    stage = await raise();
  });
  after(() => stage?.lower());
  for (const [part, scenarios] of Object.entries({ shell, canvas, edit, form, disk, run, pages, guard, access })) {
    describe(part, () => {
      for (const [name, play] of Object.entries(scenarios.default)) {
        test(name, { timeout: 120_000 }, async () => {
          const opened = [];
          const page = async (...args) => {
            const p = await stage.page(...args);
            opened.push(p);
            return p;
          };
          try {
            await play({ stage, page });
            const said = opened.flatMap((p) => p.complaints);
            if (said.length > 0) throw new Error("the browser complained: " + said.join("; "));
          } catch (e) {
            const at = process.env.SHOTS; // a folder for pictures of what went wrong
            if (at) for (const [i, p] of opened.entries()) await p.screenshot({ path: `${at}/${part}-${name.replace(/\W+/g, "-")}-${i}.png` });
            throw e;
          } finally {
            for (const p of opened) await p.context().close();
            await stage.tidy();
          }
        });
      }
    });
  }
});
