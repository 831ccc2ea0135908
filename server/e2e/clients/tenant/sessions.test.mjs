// Sessions through @contember/graphql-client and -tenant: signing in and out, tokens
// that a backend mints, and who may do what.
import assert from "node:assert/strict";
import test from "node:test";
import { documents, GraphQlClientError, other, password, world } from "./client.mjs";

test("sessions", async (t) => {
	const w = await world();
	t.after(() => w.server.stop());
	const ada = await w.person("ada");
	const boss = await w.person("boss", { groups: ["super_admin"] });
	const lead = await w.person("lead", { groups: ["project_admin"] });
	const gone = await w.person("gone");
	await w.server.run(["user", "disable", gone.email]);
	const invited = "invited@example.com";
	await w.call(w.root, documents.signUp, { email: invited });
	const code = (response) => [response.ok, response.error?.code];
	const forbidden = (e) => e instanceof GraphQlClientError && e.type === "response errors" && e.response.status === 200 && e.errors[0].extensions.code === "ForbiddenError";
	const badInput = (e) => e.type === "response errors" && e.errors[0].extensions.code === "UserInputError";

	await t.test("a sign-in gives a token and who signed in", async () => {
		const { ok, error, errors, result } = await w.signIn(ada.email);
		assert.equal(ok, true);
		assert.equal(error, null);
		assert.deepEqual(errors, []);
		assert.match(result.token, /^\w+$/);
		assert.deepEqual(result.person, { id: ada.id, email: ada.email, name: "ada", otpEnabled: false });
	});
	await t.test("the address is taken in any spelling of capitals", async () => {
		assert.equal((await w.signIn("ADA@example.com")).ok, true);
	});
	for (const [name, email, variables, want] of [
		["an unknown address", "nobody@example.com", {}, "UNKNOWN_EMAIL"],
		["what is no address", "nobody", {}, "UNKNOWN_EMAIL"],
		["a wrong password", ada.email, { password: other }, "INVALID_PASSWORD"],
		["an empty password", ada.email, { password: "" }, "INVALID_PASSWORD"],
		["a disabled person", gone.email, {}, "PERSON_DISABLED"],
		["a person without a password", invited, {}, "NO_PASSWORD_SET"],
	]) {
		await t.test(`${name} is told as ${want}`, async () => {
			const response = await w.signIn(email, variables);
			assert.deepEqual(code(response), [false, want]);
			assert.equal(response.errors[0].code, want);
			assert.equal(response.error.endUserMessage, null);
			assert.ok(response.error.developerMessage.endsWith("."));
			assert.equal(response.result, null);
		});
	}
	await t.test("expiration is in minutes", async () => {
		const { result } = await w.signIn(ada.email, { expiration: 20160 });
		const { sessions } = await (await fetch(w.server.url + "/auth/sessions", { headers: { Session: result.token } })).json();
		const mine = sessions.find((s) => s.current);
		assert.equal(Math.round((Date.parse(mine.expiresDtm) - Date.parse(mine.lastSeenDtm)) / 60_000), 20160);
	});
	for (const [name, expiration, minutes] of [["none", undefined, 30], ["null", null, 30], ["0", 0, 30], ["more than six months", 2147483647, 259200]]) {
		await t.test(`expiration ${name} is ${minutes} minutes`, async () => {
			const { result } = await w.signIn(ada.email, { expiration });
			const { session } = await (await fetch(w.server.url + "/auth/me", { headers: { Session: result.token } })).json();
			assert.equal(Math.round((Date.parse(session.expiresDtm) - Date.parse(session.lastSeenDtm)) / 60_000), minutes);
		});
	}
	await t.test("a negative expiration is refused", () => assert.rejects(w.signIn(ada.email, { expiration: -5 }), badInput));
	await t.test("only the login token signs in", async () => {
		for (const token of [ada.token, w.projects]) {
			await assert.rejects(w.call(token, documents.signIn, { email: ada.email, password }), forbidden);
		}
		assert.equal((await w.call(w.root, documents.signIn, { email: ada.email, password })).mutation.ok, true);
	});

	await t.test("me tells the person and the roles", async () => {
		const me = await w.me(ada.token);
		assert.deepEqual(me, {
			id: ada.id, description: null, roles: ["person"], projects: [], permissions: { canCreateProject: false, canDeployEntrypoint: false },
			person: { id: ada.id, email: ada.email, name: "ada", otpEnabled: false },
		});
		assert.deepEqual((await w.me(boss.token)).roles, ["person", "super_admin"]);
		assert.equal((await w.me(boss.token)).permissions.canCreateProject, true);
	});
	await t.test("me of the login token has no person", async () => {
		const me = await w.me(w.login);
		assert.deepEqual([me.person, me.roles, me.description], [null, ["login"], "login"]);
	});
	await t.test("personById is for persons", async () => {
		const { personById } = await w.call(ada.token, documents.personById, { id: boss.id });
		assert.deepEqual([personById.email, personById.passwordlessEnabled, personById.identity.id], [boss.email, false, boss.id]);
		assert.equal((await w.call(ada.token, documents.personById, { id: "nobody" })).personById, null);
		await assert.rejects(w.call(w.login, documents.personById, { id: boss.id }), forbidden);
	});

	await t.test("signing out ends the session, and a second time is 401", async () => {
		const { result } = await w.signIn(ada.email);
		assert.deepEqual((await w.call(result.token, documents.signOut)).mutation, { ok: true, error: null, errors: [] });
		assert.equal(await w.refused(result.token), true);
		assert.equal(await w.refused(ada.token), false);
		await assert.rejects(w.call(result.token, documents.signOut), (e) => e.type === "unauthorized");
	});
	for (const all of [null, false]) {
		await t.test(`all: ${all} ends the session alone`, async () => {
			const { result } = await w.signIn(ada.email);
			assert.equal((await w.call(result.token, documents.signOut, { all })).mutation.ok, true);
			assert.deepEqual([await w.refused(result.token), await w.refused(ada.token)], [true, false]);
		});
	}
	await t.test("all: true ends every session and no key", async () => {
		const bob = await w.person("bob", { groups: ["super_admin"] });
		const { result: second } = await w.signIn(bob.email);
		const { mutation } = await w.call(bob.token, documents.createGlobalApiKey, { description: "bob's", roles: ["login"] });
		assert.equal((await w.call(bob.token, documents.signOut, { all: true })).mutation.ok, true);
		assert.deepEqual([await w.refused(bob.token), await w.refused(second.token)], [true, true]);
		assert.deepEqual((await w.me(mutation.result.apiKey.token)).roles, ["login"]);
	});
	await t.test("a key cannot sign out", async () => {
		for (const key of [w.login, w.root]) assert.deepEqual(code((await w.call(key, documents.signOut)).mutation), [false, "NOT_A_PERSON"]);
	});

	const mint = async (token, variables) => (await w.call(token, documents.createSessionToken, variables)).mutation;
	for (const [name, token] of [["a key", w.projects], ["the root key", w.root], ["a person", lead.token], ["a super admin", boss.token]]) {
		await t.test(`${name} mints tokens for persons`, async () => {
			for (const variables of [{ email: ada.email }, { personId: ada.id }]) {
				const { ok, error, result } = await mint(token, { ...variables, expiration: 60 });
				assert.deepEqual([ok, error, result.person.id], [true, null, ada.id]);
				assert.equal((await w.me(result.token)).person.email, ada.email);
			}
		});
	}
	await t.test("a minted token signs out", async () => {
		const { result } = await mint(w.projects, { email: ada.email });
		assert.equal((await w.call(result.token, documents.signOut)).mutation.ok, true);
		assert.equal(await w.refused(result.token), true);
	});
	await t.test("the address wins over the id", async () => {
		assert.equal((await mint(w.root, { email: ada.email, personId: "wrong" })).result.person.id, ada.id);
	});
	for (const [name, variables, want] of [
		["an unknown address", { email: "nobody@example.com" }, "UNKNOWN_EMAIL"],
		["an unknown id", { personId: "01a20a6e-e31c-7036-bc31-16ab34fb44f7" }, "UNKNOWN_PERSON_ID"],
		["what is no id", { personId: "'; --" }, "UNKNOWN_PERSON_ID"],
		["a disabled person", { personId: gone.id }, "PERSON_DISABLED"],
	]) {
		await t.test(`no token for ${name}: ${want}`, async () => assert.deepEqual(code(await mint(w.root, variables)), [false, want]));
	}
	for (const variables of [{}, { email: "", personId: "" }, { email: null, personId: null }]) {
		await t.test(`no token for ${JSON.stringify(variables)}`, () => assert.rejects(mint(w.root, variables), badInput));
	}
	await t.test("who administers projects mints nothing for a super admin, who does", async () => {
		await assert.rejects(mint(w.projects, { email: boss.email }), forbidden);
		await assert.rejects(mint(lead.token, { email: boss.email }), forbidden);
		assert.equal((await mint(w.root, { email: boss.email })).ok, true);
	});
	for (const [name, token] of [["a person", ada.token], ["the login token", w.login]]) {
		await t.test(`${name} mints nothing, whoever is asked for`, async () => {
			for (const variables of [{ email: ada.email }, { email: "nobody@example.com" }, {}]) await assert.rejects(mint(token, variables), forbidden);
		});
	}
});
