// Chromium without a window, spoken to over a pipe in the words of its DevTools.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const flags = [
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--remote-debugging-pipe", "--window-size=900,700", "about:blank",
];

// open starts a browser with nothing in it that ends with the test t.
export async function open(t) {
	const profile = mkdtempSync(join(tmpdir(), "sluice-chromium-"));
	const child = spawn(process.env.CHROMIUM ?? "chromium", [...flags, "--user-data-dir=" + profile], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
	const ended = new Promise((done) => child.on("exit", done));
	t.after(async () => {
		child.kill("SIGKILL");
		await ended;
		rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
	});
	return new Browser(child);
}

class Browser {
	waiting = new Map();
	last = 0;

	constructor(child) {
		this.out = child.stdio[3];
		let text = "";
		child.stdio[4].on("data", (more) => {
			const messages = (text + more).split("\0");
			text = messages.pop();
			for (const m of messages.map((m) => JSON.parse(m))) {
				const { done, failed } = this.waiting.get(m.id) ?? {};
				this.waiting.delete(m.id);
				if (m.error) failed?.(new Error(m.error.message));
				else done?.(m.result);
			}
		});
	}

	send(method, params = {}, sessionId) {
		const id = ++this.last;
		this.out.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
		return new Promise((done, failed) => this.waiting.set(id, { done, failed }));
	}

	// page opens a page of a profile of its own, as another person's browser has.
	async page(url) {
		const { browserContextId } = await this.send("Target.createBrowserContext");
		const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId });
		const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
		const page = new Page(this, sessionId);
		await page.go(url);
		return page;
	}
}

class Page {
	constructor(browser, session) {
		Object.assign(this, { browser, session });
	}

	async go(url) {
		await this.browser.send("Page.navigate", { url }, this.session);
	}

	// run evaluates a function in the page.
	async run(f, ...args) {
		const expression = `(${f})(...${JSON.stringify(args)})`;
		const { result, exceptionDetails } = await this.browser.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, this.session);
		if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	}

	// sees waits until the page shows a text.
	async sees(text) {
		let shown = "";
		for (let tries = 0; tries < 200; tries++) {
			shown = await this.run(() => document.body?.innerText ?? "").catch(() => ""); // between two pages there is none
			if (shown.includes(text)) return shown;
			await new Promise((done) => setTimeout(done, 50));
		}
		throw new Error(`the page does not show ${JSON.stringify(text)} but ${JSON.stringify(shown)}`);
	}

	// fill types values into the fields of these names.
	fill(values) {
		return this.run((values) => {
			for (const [name, value] of Object.entries(values)) document.querySelector(`[name="${name}"]`).value = value;
		}, values);
	}

	// click presses the button, or follows the link, with a text; nth where there are several.
	click(text, nth = 0) {
		return this.run((text, nth) => {
			const found = [...document.querySelectorAll("button, a")].filter((e) => e.innerText.trim() === text)[nth];
			if (!found) throw new Error(`there is nothing to click with the text ${text} in ${document.body.innerText}`);
			found.click();
		}, text, nth);
	}

	async screenshot(file) {
		const { data } = await this.browser.send("Page.captureScreenshot", { format: "png" }, this.session);
		writeFileSync(file, Buffer.from(data, "base64"));
	}
}
