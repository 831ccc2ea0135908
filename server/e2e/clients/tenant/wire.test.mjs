// The wire, as a client sees it that is not of JavaScript: statuses, headers, bodies.
import assert from "node:assert/strict";
import test from "node:test";
import { buildClientSchema, getIntrospectionQuery, parse, validate } from "graphql";
import { world } from "./client.mjs";

test("wire", async (t) => {
	const w = await world();
	t.after(() => w.server.stop());
	const me = { query: "{me {id roles}}" };
	const url = w.server.url + "/tenant";

	for (const [name, token, body, status] of [
		["no token", "", me, 401],
		["no token and no document", "", "{", 401],
		["an unknown token", "0123456789abcdef0123456789abcdef01234567", me, 401],
		["a dead token and no document", "sls_dead", "{", 401],
		["no JSON", w.login, "{", 400],
		["no query", w.login, {}, 400],
		["wrong syntax", w.login, { query: "{" }, 400],
		["an unknown field", w.login, { query: "{me {nope}}" }, 400],
		["a missing argument", w.login, { query: "mutation {signIn(email: \"a@b.c\") {ok}}" }, 400],
		["a variable of a wrong type", w.login, { query: "mutation ($e: Int) {createSessionToken(expiration: $e) {ok}}", variables: { e: "5" } }, 400],
		["a field that was left out", w.login, { query: "{projects {id}}" }, 400],
	]) {
		await t.test(`${name} is ${status}, with errors and no data`, async () => {
			const { status: got, json } = await w.raw(token, body);
			assert.deepEqual([got, "data" in json, json.errors.length > 0], [status, false, true]);
			assert.equal(json.errors[0].code, status === 401 ? 401 : undefined);
			assert.equal(typeof json.errors[0].message, "string");
		});
	}
	await t.test("a 401 says how to authenticate", async () => {
		assert.match((await w.raw("", me)).headers.get("www-authenticate"), /^Bearer/);
	});
	await t.test("success has no errors", async () => {
		const { status, json } = await w.raw(w.login, me);
		assert.deepEqual([status, Object.keys(json)], [200, ["data"]]);
	});
	await t.test("a slash behind the path leads here, too", async () => {
		const response = await fetch(url + "/", { method: "POST", headers: { Authorization: `bearer ${w.login}`, "Content-Type": "application/json" }, body: JSON.stringify(me) });
		assert.deepEqual((await response.json()).data.me.roles, ["login"]);
	});
	await t.test("a GET does nothing", async () => {
		const response = await fetch(url + "?query={me{id}}", { headers: { Authorization: `Bearer ${w.login}` } });
		assert.deepEqual([response.status, (await response.json()).errors.length], [405, 1]);
	});
	await t.test("pages of other sites may call, with the headers of LoginForm", async () => {
		const headers = { Origin: "https://app.example.com", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,x-contember-token-path" };
		const preflight = await fetch(url, { method: "OPTIONS", headers });
		assert.equal(preflight.status, 204);
		assert.equal(preflight.headers.get("access-control-allow-origin"), headers.Origin);
		assert.match(preflight.headers.get("access-control-allow-headers"), /x-contember-token-path/i);
		const refused = await w.raw("", me, { Origin: headers.Origin });
		assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [401, headers.Origin]);
	});
	await t.test("several operations, aliases, fragments and directives", async () => {
		const query = "query A {a: me {...I} b: me {id @skip(if: true) __typename}} query B {me {id}} fragment I on Identity {roles}";
		assert.deepEqual((await w.raw(w.login, { query, operationName: "A" })).json, { data: { a: { roles: ["login"] }, b: { __typename: "Identity" } } });
		assert.equal((await w.raw(w.login, { query })).status, 400);
	});
	await t.test("the schema that it tells is whole", async () => {
		const { json } = await w.raw(w.login, { query: getIntrospectionQuery() });
		const schema = buildClientSchema(json.data);
		assert.equal(Object.keys(schema.getMutationType().getFields()).length, 19);
		const document = parse("mutation ($e: String!, $p: String!, $x: Int) {mutation: signIn(email: $e, password: $p, expiration: $x) {ok errors {code} result {token person {identity {person {id}}}}}}");
		assert.deepEqual(validate(schema, document), []);
		assert.equal(schema.getType("SignInErrorCode").getValue("UNKNOWN_EMAIL").name, "UNKNOWN_EMAIL");
		assert.equal(schema.getType("SignInResponse").getFields().errors.deprecationReason !== undefined, true);
	});
	await t.test("a server that does not name tenant has none of it", async () => {
		const plain = await world(t, { compat: "" });
		assert.equal((await plain.raw(plain.login, me)).status, 404);
	});
});
