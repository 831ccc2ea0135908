// The caller's own user through altogic.db, endpoints of the application through
// altogic.endpoint, and what is not there.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { start } from "../server.mjs";
import { connect, signedIn } from "./client.mjs";

const flow = (endpoint, head, answer) => `about: Show what came.\nendpoint: ${endpoint}\n${head}\nsteps:\n  - respond: 200\n    body: ${answer}\n`;
const flows = {
	"shop/orders.yaml": flow("GET /shop/orders/{id}", "session: none\ninput: {query: any}", "{id: $path.id, query: $query}"),
	"shop/add.yaml": flow("POST /shop/orders", "session: none\ninput: {query: any, body: any}", "{body: $body, query: $query}"),
	"shop/change.yaml": flow("PUT /shop/orders/{id}", "session: none\ninput: {body: any}", "$body"),
	"shop/remove.yaml": flow("DELETE /shop/orders", "session: none\ninput: {body: any}", "$body"),
	"shop/list.yaml": flow("GET /shop/list", "session: none", "[1, two, null]"),
	"shop/nothing.yaml": "about: Nothing.\nendpoint: POST /shop/nothing\nsession: none\nsteps:\n  - respond: 204\n",
	"shop/typed.yaml": flow("GET /shop/typed", "session: none\ninput: {query: {quantity: integer, tags: {type: array, items: string, default: []}}}", "$query"),
	"shop/own.yaml": flow("GET /shop/own", "session: required", "{userId: $session.userId, groups: $session.accessGroupKeys}"),
	"shop/staff.yaml": flow("GET /shop/staff", "session: required\ngroups: [staff]", "{welcome: true}"),
	"shop/keyed.yaml": flow("GET /shop/keyed", "session: none\napiKey: required", "{welcome: true}"),
	"shop/headers.yaml": flow("GET /shop/headers", "session: none\ninput: {headers: {x-trace: string, \"x-client-key?\": string}}", "{trace: $headers.x-trace, client: $headers.x-client-key}"),
	"shop/redirect.yaml": "about: Lead on.\nendpoint: GET /shop/moved\nsession: none\nsteps:\n  - respond: 302\n    redirect: /shop/list\n",
	"shop/sign-in.yaml": `about: Sign in by a flow of one's own.
endpoint: POST /users/sign-in
session: none
input: {body: {email: {type: string, format: email}, password: {type: string, format: password}}}
steps:
  - {id: user, node: user.fetch, with: {email: $body.email}, on: {notFound: continue}}
  - id: proof
    node: password.check
    with: {user: $user, account: $body.email, password: $body.password}
    on: {mismatch: [{fail: invalid_credentials}]}
  - {id: session, node: session.create, with: {userId: $proof.userId, groups: [beta]}}
  - respond: 200
    body: {user: $user, session: $session}
`,
};

let server;
before(async (t) => {
	server = await start(t, { compat: "altogic", "base-path": "/e:62f9", "client-keys": "5f0b63b0c2,another" }, flows);
});

function failed({ errors }, status, code) {
	assert.equal(errors?.status, status, JSON.stringify(errors));
	assert.equal(errors.items[0].code, code);
	assert.match(errors.items[0].message, /^[A-Z].*\.$/);
}

describe("the caller's own user", () => {
	const own = async (more) => {
		const got = await signedIn(server, more);
		return { ...got, object: got.client.db.model("users").object(got.user._id) };
	};
	test("get reads it", async () => {
		const { object, user } = await own({ name: "Ada" });
		const { data, errors } = await object.get();
		assert.equal(errors, null);
		assert.equal(data._id, user._id);
	});
	test("get takes lookups and options", async () => {
		const { object, user } = await own();
		assert.equal((await object.get([{ field: "team" }], { cache: "nocache" })).data._id, user._id);
	});
	test("update changes the name and fields, and gives the user", async () => {
		const { client, object } = await own();
		const { data, errors } = await object.update({ name: "Ada", profilePicture: "ada.png", tags: ["a", { b: null }] });
		assert.equal(errors, null);
		assert.equal(data.name, "Ada");
		assert.deepEqual(data.tags, ["a", { b: null }]);
		assert.equal((await client.auth.getUserFromDB()).user.profilePicture, "ada.png");
	});
	test("update leaves who the user is alone, where the whole user is sent back", async () => {
		const { object, user, email } = await own();
		const { data } = await object.update({ ...user, _id: "x", email: "eve@example.com", emailVerified: true, provider: "google", name: "Ada" });
		assert.equal(data._id, user._id);
		assert.equal(data.email, email);
		assert.equal(data.emailVerified, false);
		assert.equal(data.name, "Ada");
	});
	test("update takes what looks like an operator as data", async () => {
		const { object } = await own();
		const values = { $set: { groups: ["admin"] }, "a.b": 1, where: { $gt: "" } };
		const { data } = await object.update(values);
		assert.deepEqual(data.$set, values.$set);
		assert.equal(data["a.b"], 1);
	});
	test("updateFields sets and unsets", async () => {
		const { object } = await own();
		await object.update({ plan: "gold", age: 36 });
		const { data, errors } = await object.updateFields([
			{ field: "age", updateType: "unset", value: null },
			{ field: "plan", updateType: "set", value: { kind: "silver" } },
		]);
		assert.equal(errors, null);
		assert.deepEqual(data.plan, { kind: "silver" });
		assert.equal("age" in data, false);
	});
	test("updateFields takes one that is no list", async () => {
		const { object } = await own();
		assert.equal((await object.updateFields({ field: "plan", updateType: "set", value: 7 })).data.plan, 7);
	});
	test("nobody reads or changes somebody else", async () => {
		const { client } = await own();
		const eve = await own();
		failed(await client.db.model("users").object(eve.user._id).get(), 403, "not_your_own");
		failed(await client.db.model("users").object(eve.user._id).update({ name: "x" }), 403, "not_your_own");
	});
	test("without a session nobody is there", async () => {
		failed(await connect(server).db.model("users").object("x").get(), 401, "missing_session_token");
	});
});

describe("endpoints of the application", () => {
	test("get sends a query, and gives the data", async () => {
		const { data, errors } = await connect(server).endpoint.get("/shop/orders/a%20b", { q: "two words", n: 3, o: { a: [1] }, none: null });
		assert.equal(errors, null);
		assert.deepEqual(data, { id: "a b", query: { q: "two words", n: "3", o: '{"a":[1]}', none: "" } });
	});
	test("a path without a slash in front leads there too", async () => {
		assert.equal((await connect(server).endpoint.get("shop/orders/7")).data.id, "7");
	});
	test("a typed query is read by its types", async () => {
		assert.deepEqual((await connect(server).endpoint.get("/shop/typed", { quantity: 123 })).data, { quantity: 123, tags: [] });
		failed(await connect(server).endpoint.get("/shop/typed", { quantity: "many" }), 400, "invalid_input");
	});
	test("post sends a body and a query", async () => {
		const body = { sku: "PEN-1", price: 1.5, tags: ["a"], none: null, $where: "1" };
		assert.deepEqual((await connect(server).endpoint.post("/shop/orders", body, { dry: true })).data, { body, query: { dry: "true" } });
	});
	test("post without a body is one", async () => {
		assert.deepEqual((await connect(server).endpoint.post("/shop/orders", null, { code: "1" })).data, { body: {}, query: { code: "1" } });
	});
	test("put sends a body", async () => {
		assert.deepEqual((await connect(server).endpoint.put("/shop/orders/7", [1, 2])).data, [1, 2]);
	});
	test("delete sends a body, too", async () => {
		assert.deepEqual((await connect(server).endpoint.delete("/shop/orders", { ids: [1, 2] })).data, { ids: [1, 2] });
	});
	test("an answer can be a bare list", async () => {
		assert.deepEqual((await connect(server).endpoint.get("/shop/list")).data, [1, "two", null]);
	});
	test("an answer can be nothing", async () => {
		assert.deepEqual(await connect(server).endpoint.post("/shop/nothing"), { data: null, errors: null });
	});
	test("a redirect is followed", async () => {
		assert.equal((await connect(server).endpoint.get("/shop/moved")).data.length, 3);
	});
	test("headers of the caller arrive, and the client's key beside them", async () => {
		const { data } = await connect(server).endpoint.get("/shop/headers", null, { "x-trace": "7" });
		assert.deepEqual(data, { trace: "7", client: "5f0b63b0c2" });
	});
	test("the session of the client counts", async () => {
		const { client, user } = await signedIn(server, { groups: ["staff"] });
		assert.deepEqual((await client.endpoint.get("/shop/own")).data, { userId: user._id, groups: ["staff"] });
		assert.deepEqual((await client.endpoint.get("/shop/staff")).data, { welcome: true });
	});
	test("without a session, with a dead one and without the group it does not", async () => {
		failed(await connect(server).endpoint.get("/shop/own"), 401, "missing_session_token");
		const { client, session } = await signedIn(server);
		failed(await client.endpoint.get("/shop/staff"), 403, "missing_access_group");
		await client.auth.signOut();
		client.auth.setSession(session);
		failed(await client.endpoint.get("/shop/own"), 401, "invalid_session_token");
		assert.equal(client.auth.getSession(), null);
	});
	test("an API key goes raw, and a wrong one or none is told", async () => {
		const apiKey = await server.addKey();
		assert.deepEqual((await connect(server, { apiKey }).endpoint.get("/shop/keyed")).data, { welcome: true });
		failed(await connect(server, { apiKey: apiKey.slice(0, -1) + "_" }).endpoint.get("/shop/keyed"), 401, "invalid_API_key");
		failed(await connect(server).endpoint.get("/shop/keyed"), 401, "missing_API_key");
	});
	test("an API key does not stand in the way of a session", async () => {
		const { session, user } = await signedIn(server);
		const client = connect(server, { apiKey: await server.addKey() });
		client.auth.setSession(session);
		assert.equal((await client.endpoint.get("/shop/own")).data.userId, user._id);
	});
	test("a sign-in of the application's own gives a session that the client takes", async () => {
		const { email } = await signedIn(server);
		const client = connect(server);
		const { data } = await client.endpoint.post("users/sign-in", { email, password: "a ferry across the river" });
		client.auth.setSession(data.session);
		assert.deepEqual((await client.endpoint.get("/shop/own")).data.groups, ["beta"]);
		assert.equal((await client.auth.getAllSessions()).sessions.length, 2);
	});
	test("an endpoint does not ask for the client's key", async () => {
		assert.equal((await fetch(server.url + "/shop/list")).status, 200);
		assert.equal((await connect(server, {}, "unknown").endpoint.get("/shop/list")).errors, null);
	});
});

describe("the address of the server", () => {
	test("may have a path in front of all, and a slash at its end", async () => {
		for (const url of ["/e:62f9", "/e:62f9/", "/"]) {
			const client = connect(server.url + url);
			assert.equal((await client.endpoint.get("/shop/list")).errors, null);
			failed(await client.auth.getUserFromDB(), 401, "missing_session_token");
		}
	});
});

describe("the client's key", () => {
	test("is one of those of the settings", async () => {
		failed(await connect(server, {}, "unknown").auth.getUserFromDB(), 401, "invalid_client_key");
		failed(await connect(server, {}, "another").auth.getUserFromDB(), 401, "missing_session_token");
	});
	test("is wanted before anything else", async () => {
		const res = await fetch(server.url + "/_api/rest/v1/auth/signin-email", { method: "POST" });
		assert.equal(res.status, 401);
		assert.equal((await res.json()).errors[0].code, "invalid_client_key");
	});
	test("is any where the settings name none", async (t) => {
		const open = await start(t, { compat: "altogic" });
		failed(await connect(open, {}, "whatever").auth.getUserFromDB(), 401, "missing_session_token");
	});
});

describe("what is not there says not_supported", () => {
	const calls = {
		"db queries": (c) => c.db.model("tasks").filter("this.done == false").sort("due", "asc").limit(5).get(),
		"db objects": (c) => c.db.model("tasks").create({ name: "x" }),
		"db statistics": (c) => c.db.getStats(),
		"cache get": (c) => c.cache.get("a"),
		"cache set": (c) => c.cache.set("a", 1),
		"cache delete": (c) => c.cache.delete(["a"]),
		queue: (c) => c.queue.submitMessage("mails", { to: "ada" }),
		"queue status": (c) => c.queue.getMessageStatus("1"),
		task: (c) => c.task.runOnce("nightly"),
		"storage buckets": (c) => c.storage.listBuckets(),
		"storage files": (c) => c.storage.root.file("a.txt").exists(),
	};
	for (const [name, call] of Object.entries(calls)) {
		test(name, async () => {
			const { client } = await signedIn(server);
			failed(await call(client), 501, "not_supported");
		});
	}
});

describe("a server without the setting", () => {
	test("has none of this, and says so in a form that the client knows", async (t) => {
		const plain = await start(t);
		failed(await connect(plain).auth.getUserFromDB(), 404, "not_found");
	});
});
