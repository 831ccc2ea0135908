// The web server of a starter: its page, and its script with the packages in it.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// serve serves the starter in a folder at an address that it returns. The address of
// the API is asked for when a page is loaded, since it is known later.
export async function serve(t, folder, api) {
	const dir = join(dirname(fileURLToPath(import.meta.url)), folder);
	const { outputFiles } = await build({
		entryPoints: [join(dir, "main.js")], bundle: true, write: false, format: "esm", platform: "browser", define: { global: "globalThis" }, logLevel: "error",
	});
	const script = outputFiles[0].text;
	const server = createServer((req, res) => {
		const isScript = req.url === "/main.js";
		res.setHeader("Content-Type", isScript ? "text/javascript" : "text/html; charset=utf-8");
		res.end(isScript ? script : readFileSync(join(dir, "index.html"), "utf8").replace("API_URL", api()));
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	t.after(() => new Promise((done) => {
		server.close(done);
		server.closeAllConnections();
	}));
	return `http://127.0.0.1:${server.address().port}`;
}
