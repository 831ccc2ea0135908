// Whatever goes wrong in the server, the client's promise settles, and its errors hold a
// sentence that an application can show.
import assert from "node:assert/strict";
import { connect as dial } from "node:net";
import { before, describe, test } from "node:test";
import { start } from "../server.mjs";
import { address, connect, password } from "./client.mjs";

const head = (endpoint) => `about: Go wrong.\nendpoint: ${endpoint}\nsession: none\n`;
const flows = {
	"wrong/limit.yaml": head("POST /wrong/limit") + "limit: {rate: 1/h, per: [ip]}\nsteps:\n  - respond: 204\n",
	"wrong/slow.yaml": head("GET /wrong/slow") + `timeout: 50ms
input: {query: {n: {type: array, items: string, maxItems: 1000}}}
steps:
  - each: $query.n
    as: a
    do:
      - each: $query.n
        as: b
        do:
          - let: {hash: '= sha256($a + $b)'}
  - respond: 204
`,
	"wrong/body.yaml": head("POST /wrong/body") + "input: {body: {n: integer, s: string}}\nsteps:\n  - respond: 200\n    body: $body\n",
	"wrong/computed.yaml": head("POST /wrong/computed") + "input: {body: {n: integer}}\nsteps:\n  - let: {x: '= [1, 2][$body.n]'}\n  - respond: 200\n    body: {x: $x}\n",
	"wrong/declared.yaml": head("GET /wrong/declared") + "steps:\n  - fail: sold_out\n    details: {left: 0}\n",
	"wrong/off.yaml": head("GET /wrong/off") + "enabled: false\nsteps:\n  - respond: 204\n",
	"wrong/broken.yaml": head("POST /wrong/broken") + "steps:\n  - node: mail.send\n    with: {to: ada@example.com, template: code}\n  - respond: 204\n",
	"wrong/mail.yaml": head("POST /wrong/mail") + "steps:\n  - node: mail.send\n    with: {to: ada@example.com, template: code, values: {code: '1', lasts: a minute}}\n  - respond: 204\n",
};

let server;
before(async (t) => {
	server = await start(t, { compat: "altogic" }, flows);
});

// told tells that a call settled with errors of the form that the client documents.
async function told(call, status, code) {
	const timeout = new Promise((_, reject) => setTimeout(reject, 15_000, new Error("the promise does not settle")).unref());
	const { data, errors } = await Promise.race([call, timeout]);
	assert.ok(errors, `no errors, but ${JSON.stringify(data)}`);
	assert.equal(errors.status, status, JSON.stringify(errors));
	assert.equal(typeof errors.statusText, "string");
	assert.ok(errors.items.length > 0);
	assert.equal(errors.items[0].code, code);
	for (const item of errors.items) {
		assert.match(item.message, /^[A-Z].*\.$/);
		assert.ok(["client", "server"].includes(item.origin));
		assert.doesNotMatch(item.message, /panic|goroutine|\.go:|sql|\.yaml/i);
	}
}

describe("what the server refuses by itself", () => {
	test("an address where nothing is: 404", () => told(connect(server).endpoint.get("/nowhere"), 404, "not_found"));
	test("a flow that is not enabled: 404", () => told(connect(server).endpoint.get("/wrong/off"), 404, "not_found"));
	test("a method that an address does not take: 405", () => told(connect(server).endpoint.put("/wrong/body", {}), 405, "method_not_allowed"));
	test("a method of a route of Altogic that it does not take: 405", () =>
		told(connect(server).endpoint.get("/_api/rest/v1/auth/signin-email"), 405, "method_not_allowed"));
	test("a body that is too long: 413", () => told(connect(server).endpoint.post("/wrong/body", { s: "x".repeat(70_000) }), 413, "body_too_large"));
	test("a body for a sign-in that is far too long: 413", () =>
		told(connect(server).auth.signInWithEmail(address(), "x".repeat(5_000_000)), 413, "body_too_large"));
	test("an address that is spelled badly: 400", () => told(connect(server).endpoint.get("/wrong/%zz"), 404, "not_found"));
	test("a header that is too long: 431", () => told(connect(server).endpoint.get("/wrong/off?" + "x".repeat(9_000)), 431, "headers_too_large"));
	test("a form in place of JSON: 415", () =>
		told(connect(server).endpoint.post("/wrong/body", new FormData()), 415, "unsupported_media_type"));
	test("two different credentials: 400", () => {
		const client = connect(server, { apiKey: "Bearer sls_one" });
		client.auth.setSession({ token: "sls_two" });
		return told(client.endpoint.get("/wrong/declared"), 400, "ambiguous_credentials");
	});
	test("too many calls: 429", async () => {
		await connect(server).endpoint.post("/wrong/limit");
		await told(connect(server).endpoint.post("/wrong/limit"), 429, "rate_limit_exceeded");
	});
	test("too many sign-ups: 429", async () => {
		const client = connect(server);
		for (let i = 0; i < 30; i++) await client.auth.signUpWithEmail(address(), "password");
		await told(client.auth.signUpWithEmail(address(), password), 429, "rate_limit_exceeded");
	});
});

describe("what a flow refuses", () => {
	test("a body of another form: 400, with every fault", async () => {
		const { errors } = await connect(server).endpoint.post("/wrong/body", { n: "x", m: 1 });
		assert.equal(errors.items.length, 3);
		await told(connect(server).endpoint.post("/wrong/body", { n: "x" }), 400, "invalid_input");
	});
	test("a body that is not there: 400", () => told(connect(server).endpoint.post("/wrong/body"), 400, "invalid_input"));
	test("a query that it does not know: 400", () => told(connect(server).endpoint.get("/wrong/declared", { x: 1 }), 400, "invalid_input"));
	test("values that an expression cannot take: 400", () => told(connect(server).endpoint.post("/wrong/computed", { n: 7 }), 400, "expression_failed"));
	test("an error of its own, with details", async () => {
		const { errors } = await connect(server).endpoint.get("/wrong/declared");
		assert.deepEqual(errors.items[0].details, { left: 0 });
		await told(connect(server).endpoint.get("/wrong/declared"), 409, "sold_out");
	});
	test("a run that takes too long: 504", async () => {
		const n = Array.from({ length: 300 }, (_, i) => `n=${i}`).join("&");
		await told(connect(server).endpoint.get("/wrong/slow?" + n), 504, "timeout");
	});
});

describe("what breaks inside", () => {
	test("a step that cannot do its work: 500, and no word of why but the id in the log", async () => {
		const { errors } = await connect(server).endpoint.post("/wrong/broken");
		await told(connect(server).endpoint.post("/wrong/broken"), 500, "internal_error");
		assert.ok(server.log.join("").includes(errors.items[0].details.requestId));
	});
});

describe("what is away", () => {
	test("a mail server: 503", async (t) => {
		const away = await start(t, { compat: "altogic", studio: "off" }, flows);
		await told(connect(away).endpoint.post("/wrong/mail"), 503, "unavailable");
	});
	test("a server that stops: what still comes is answered in JSON, or not at all", async () => {
		const stopping = await start(null, { compat: "altogic", notice: "1s" }, flows);
		const client = connect(stopping);
		assert.equal((await client.endpoint.get("/wrong/declared")).errors.status, 409);
		const ended = stopping.stop();
		await told(client.endpoint.get("/wrong/declared"), 409, "sold_out"); // it still answers
		await ended;
	});
});

describe("what is no HTTP", () => {
	test("is answered in JSON as well", async () => {
		const { port } = new URL(server.url);
		const said = await new Promise((done, failed) => {
			let text = "";
			const socket = dial(Number(port), "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
			socket.on("data", (more) => (text += more));
			socket.on("end", () => done(text));
			socket.on("error", failed);
		});
		const { errors } = JSON.parse(said.slice(said.indexOf("\r\n\r\n") + 4));
		assert.match(errors[0].message, /^[A-Z].*\.$/);
	});
});

describe("pages in browsers", () => {
	const page = "https://app.example.com";
	test("may read errors, before and behind every check", async (t) => {
		const open = await start(t, { compat: "altogic", origins: page }, flows);
		for (const path of ["/nowhere", "/wrong/declared", "/_api/rest/v1/auth/user"]) {
			const res = await fetch(open.url + path, { headers: { Origin: page } });
			assert.equal(res.headers.get("access-control-allow-origin"), page);
			assert.equal(res.headers.get("access-control-allow-credentials"), "true");
		}
		const preflight = await fetch(open.url + "/_api/rest/v1/auth/signin-email", {
			method: "OPTIONS",
			headers: { Origin: page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,session,x-client,x-client-key" },
		});
		assert.equal(preflight.status, 204);
		assert.match(preflight.headers.get("access-control-allow-methods"), /POST/);
		assert.match(preflight.headers.get("access-control-allow-headers"), /x-client-key/);
	});
});
