// One user, who comes by Altogic's client and by Contember's.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import altogic from "altogic";
import { documents, password, world } from "./client.mjs";

// connect makes a client of Altogic that keeps its session for itself.
function connect(url) {
	const items = new Map();
	const localStorage = { getItem: (name) => items.get(name) ?? null, setItem: (name, value) => void items.set(name, String(value)), removeItem: (name) => void items.delete(name) };
	return altogic.createClient(url, "5f0b63b0c2", { localStorage, realtime: null });
}

describe("a user of both systems", () => {
	// arrive signs a new user in by both, and returns the client of the one and the tokens of both.
	async function arrive(t, name) {
		const w = await world(t, { compat: "altogic,tenant" });
		const person = await w.person(name);
		const client = connect(w.server.url);
		const { session, errors } = await client.auth.signInWithEmail(person.email, password);
		assert.equal(errors, null);
		return { w, person, client, token: session.token };
	}

	test("signs in by Altogic's client and is listed by Contember's me", async (t) => {
		const { w, person, token } = await arrive(t, "ada");
		const me = await w.me(token);
		assert.equal(me.person.id, person.id);
		assert.equal(me.person.email, person.email);
	});

	test("signs in by Contember's client and finds that session in Altogic's list", async (t) => {
		const { person, client } = await arrive(t, "bob");
		const { sessions, errors } = await client.auth.getAllSessions();
		assert.equal(errors, null);
		assert.equal(sessions.length, 2);
		assert.deepEqual([...new Set(sessions.map((s) => s.userId))], [person.id]);
	});

	test("signs out everywhere by Altogic's client", async (t) => {
		const { w, person, client, token } = await arrive(t, "eve");
		assert.equal((await client.auth.signOutAll()).errors, null);
		assert.equal(await w.refused(person.token), true);
		assert.equal(await w.refused(token), true);
	});

	test("signs out everywhere by Contember's client", async (t) => {
		const { w, person, client } = await arrive(t, "joe");
		const { mutation } = await w.call(person.token, documents.signOut, { all: true });
		assert.equal(mutation.ok, true);
		const { user, errors } = await client.auth.getUserFromDB();
		assert.equal(user, null);
		assert.equal(errors.items[0].code, "invalid_session_token");
		assert.equal(await w.refused(person.token), true);
	});
});
