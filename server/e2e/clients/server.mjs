// A server for the tests of clients: the sluice binary, started in a folder of its
// own on a port that is free, and stopped with the test that started it.
//
//	const server = await start(t, { compat: "altogic" }, { "hello.yaml": "about: ..." });
//	await server.addUser({ email: "ada@example.com", password: "a ferry across the river" });
//	await fetch(server.url + "/hello");
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// module is where the flows are that come with Sluice, and its source.
const module = process.env.SLUICE_MODULE ?? join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const exec = promisify(execFile);

// binary is the path of the command: that which SLUICE names, or one built once.
const binary = (() => {
	let built;
	return () => (built ??= process.env.SLUICE ? Promise.resolve(process.env.SLUICE) : build());
})();

async function build() {
	const dir = mkdtempSync(join(tmpdir(), "sluice-clients-"));
	process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
	const file = join(dir, "sluice");
	await exec("go", ["build", "-o", file, "./server/cmd/sluice"], { cwd: module });
	return file;
}

// start starts a server that ends with the test t. Settings are those of
// sluice.yaml, by name. The flows are those that come with Sluice and, by their file
// names, further ones.
export async function start(t, settings = {}, flows = {}) {
	const program = await binary();
	const dir = mkdtempSync(join(tmpdir(), "sluice-client-"));
	const env = { PATH: process.env.PATH, HOME: dir };
	for (const [name, value] of Object.entries(settings)) {
		env["SLUICE_" + name.toUpperCase().replaceAll("-", "_")] = String(value);
	}
	cpSync(join(module, "flows"), join(dir, "flows"), { recursive: true });
	rmSync(join(dir, "flows", "sluice.yaml")); // each test says what it wants
	for (const [name, text] of Object.entries(flows)) {
		mkdirSync(dirname(join(dir, "flows", name)), { recursive: true });
		writeFileSync(join(dir, "flows", name), text);
	}
	const child = spawn(program, ["serve", "--addr", settings.addr ?? "127.0.0.1:0", "--no-watch"], { cwd: dir, env });
	const log = [];
	const url = await new Promise((done, failed) => {
		let said = "";
		child.stdout.on("data", (text) => {
			said += text;
			const m = /address\s+(http:\S+)/.exec(said);
			if (m && said.includes("ready")) done(m[1].replace(/,$/, ""));
		});
		child.stderr.on("data", (text) => log.push(String(text)));
		child.on("exit", (code) => failed(new Error(`sluice serve ended with ${code}: ${said}${log.join("")}`)));
	});
	const ended = new Promise((done) => child.on("exit", done));
	const server = new Server(program, dir, env, url, log, child, ended);
	t?.after(() => server.stop());
	return server;
}

class Server {
	constructor(program, dir, env, url, log, child, ended) {
		Object.assign(this, { program, dir, env, url, log, child, ended });
	}

	// stop ends the server and forgets its data.
	async stop() {
		this.child.kill("SIGTERM");
		await this.ended;
		rmSync(this.dir, { recursive: true, force: true });
	}

	// run runs a command beside the server and returns what it prints.
	async run(args, stdin = "") {
		const running = exec(this.program, args, { cwd: this.dir, env: this.env });
		running.child.stdin.end(stdin);
		return (await running).stdout.trim();
	}

	// addUser adds a user and returns the id.
	addUser({ email, password, name, groups }) {
		const more = [...(name ? ["--name", name] : []), ...(groups ? ["--groups", groups.join(",")] : [])];
		return this.run(["user", "add", "--email", email, "--password-stdin", ...more], password);
	}

	// addKey makes an API key and returns it.
	async addKey({ name = "test", scope = "full", endpoints = [] } = {}) {
		const said = await this.run(["key", "add", "--name", name, "--scope", scope, ...endpoints.flatMap((e) => ["--endpoint", e])]);
		return /slk_[0-9A-Za-z]+/.exec(said)[0];
	}

	// mail waits for the newest mail to an address that was not taken before.
	async mail(to) {
		this.taken ??= new Set();
		for (let tries = 0; tries < 100; tries++) {
			const { mails } = await (await fetch(this.url + "/_studio/mail.json")).json();
			const found = mails.find((m) => m.to === to && !this.taken.has(m.id));
			if (found) {
				this.taken.add(found.id);
				return found;
			}
			await new Promise((done) => setTimeout(done, 50));
		}
		throw new Error(`no mail came to ${to}`);
	}
}
