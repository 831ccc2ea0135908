// People, keys, roles and second factors through @contember/graphql-client-tenant.
import assert from "node:assert/strict";
import test from "node:test";
import { documents, other, password, world } from "./client.mjs";
import { totp } from "./totp.mjs";

test("people", async (t) => {
	const w = await world();
	t.after(() => w.server.stop());
	const ada = await w.person("ada");
	const boss = await w.person("boss", { groups: ["super_admin"] });
	const run = async (token, name, variables) => (await w.call(token, documents[name], variables)).mutation;
	const code = async (...args) => {
		const { ok, error } = await run(...args);
		return ok ? "ok" : error.code;
	};
	const failing = (extension) => (e) => e.type === "response errors" && e.errors[0].extensions.code === extension;
	const [forbidden, badInput] = [failing("ForbiddenError"), failing("UserInputError")];

	await t.test("signUp adds a person who can sign in", async () => {
		const { ok, errors, result } = await run(w.root, "signUp", { email: "Eve@Example.com", password, name: "Eve", roles: ["person", "project_creator"] });
		assert.deepEqual([ok, errors, result.person.name, result.person.otpEnabled], [true, [], "Eve", false]);
		const me = await w.me((await w.signIn("eve@example.com")).result.token);
		assert.deepEqual([me.id, me.roles], [result.person.id, ["person", "project_creator"]]);
	});
	for (const [want, variables] of Object.entries({
		EMAIL_ALREADY_EXISTS: { email: "ADA@example.com", password }, INVALID_EMAIL_FORMAT: { email: "ada", password }, TOO_WEAK: { email: "weak@example.com", password: "12345" },
	})) {
		await t.test(`signUp tells ${want}`, async () => {
			const { ok, error, errors, result } = await run(w.root, "signUp", variables);
			assert.deepEqual([ok, error.code, errors[0].code, error.endPersonMessage, result], [false, want, want, null, null]);
		});
	}
	await t.test("signUp is not for persons and login tokens", async () => {
		for (const token of [ada.token, w.login]) await assert.rejects(run(token, "signUp", { email: "x@example.com", password }), forbidden);
	});
	await t.test("who administers projects hands out few roles", async () => {
		assert.equal(await code(w.projects, "signUp", { email: "p1@example.com", password, roles: ["project_admin"] }), "ok");
		await assert.rejects(run(w.projects, "signUp", { email: "p2@example.com", password, roles: ["super_admin"] }), forbidden);
	});
	await t.test("hashes of other systems are not taken", () => assert.rejects(run(w.root, "signUp", { email: "h@example.com", passwordHash: "$2b$10$x" }), badInput));

	await t.test("changeMyPassword changes it, and sessions live on", async () => {
		const eve = await w.person("mypass");
		const { result: phone } = await w.signIn(eve.email);
		assert.equal(await code(eve.token, "changeMyPassword", { currentPassword: password, newPassword: other }), "ok");
		assert.deepEqual([await w.refused(eve.token), await w.refused(phone.token)], [false, false]);
		assert.deepEqual([(await w.signIn(eve.email)).error.code, (await w.signIn(eve.email, { password: other })).ok], ["INVALID_PASSWORD", true]);
	});
	for (const [want, variables] of [
		["TOO_WEAK", { currentPassword: "wrong", newPassword: "12345" }], ["INVALID_PASSWORD", { currentPassword: "wrong", newPassword: other }],
	]) {
		await t.test(`changeMyPassword tells ${want}`, async () => assert.equal(await code(ada.token, "changeMyPassword", variables), want));
	}
	await t.test("a key has no password and no profile", async () => {
		assert.equal(await code(w.login, "changeMyPassword", { currentPassword: password, newPassword: other }), "NOT_A_PERSON");
		assert.equal(await code(w.login, "changeMyProfile", { name: "x" }), "NOT_A_PERSON");
	});
	await t.test("changePassword sets that of a person", async () => {
		const eve = await w.person("herpass");
		assert.equal(await code(w.projects, "changePassword", { personId: eve.id, password: other }), "ok");
		assert.deepEqual([await w.refused(eve.token), (await w.signIn(eve.email, { password: other })).ok], [false, true]);
		assert.equal(await code(w.root, "changePassword", { personId: "nobody", password: other }), "PERSON_NOT_FOUND");
		assert.equal(await code(w.root, "changePassword", { personId: eve.id, password: "12345" }), "TOO_WEAK");
		await assert.rejects(run(w.projects, "changePassword", { personId: boss.id, password: other }), forbidden);
		await assert.rejects(run(ada.token, "changePassword", { personId: eve.id, password: other }), forbidden);
	});
	await t.test("profiles change, by the person and by who administers", async () => {
		const eve = await w.person("profile");
		assert.equal(await code(eve.token, "changeMyProfile", { name: "Evelyn" }), "ok");
		assert.equal(await code(w.projects, "changeProfile", { personId: eve.id, email: "evelyn@example.com" }), "ok");
		const { person } = await w.me(eve.token);
		assert.deepEqual([person.name, person.email], ["Evelyn", "evelyn@example.com"]);
		for (const [document, variables] of [["changeMyProfile", {}], ["changeProfile", { personId: eve.id }]]) {
			const token = document === "changeProfile" ? w.root : eve.token;
			assert.equal(await code(token, document, { ...variables, email: ada.email }), "EMAIL_ALREADY_EXISTS");
			assert.equal(await code(token, document, { ...variables, email: "no address" }), "INVALID_EMAIL_FORMAT");
		}
		assert.equal(await code(w.root, "changeProfile", { personId: "nobody", name: "x" }), "PERSON_NOT_FOUND");
	});

	await t.test("a password is reset by the code of a mail, once", async () => {
		const eve = await w.person("forgot");
		assert.equal(await code(w.login, "createResetPasswordRequest", { email: eve.email, options: { mailVariant: "x" } }), "ok");
		const { text } = await w.server.mail(eve.email);
		const token = /code=([\w-]+)/.exec(text)[1];
		assert.equal(await code(w.login, "resetPassword", { token, password: "12345" }), "PASSWORD_TOO_WEAK");
		assert.equal(await code(w.login, "resetPassword", { token, password: other }), "ok");
		assert.equal(await code(w.login, "resetPassword", { token, password }), "TOKEN_INVALID");
		assert.deepEqual([await w.refused(eve.token), (await w.signIn(eve.email, { password: other })).ok], [true, true]);
	});
	await t.test("no reset for nobody, and by no person", async () => {
		assert.equal(await code(w.login, "createResetPasswordRequest", { email: "nobody@example.com" }), "PERSON_NOT_FOUND");
		await assert.rejects(run(ada.token, "createResetPasswordRequest", { email: ada.email }), forbidden);
		await assert.rejects(run(ada.token, "resetPassword", { token: "x", password }), forbidden);
	});

	await t.test("disablePerson shuts out at once", async () => {
		const eve = await w.person("disabled");
		await assert.rejects(run(ada.token, "disablePerson", { personId: eve.id }), forbidden);
		await assert.rejects(run(w.projects, "disablePerson", { personId: boss.id }), forbidden);
		assert.equal(await code(w.projects, "disablePerson", { personId: eve.id }), "ok");
		assert.deepEqual([await w.refused(eve.token), (await w.signIn(eve.email)).error.code], [true, "PERSON_DISABLED"]);
		assert.equal(await code(w.projects, "disablePerson", { personId: eve.id }), "PERSON_ALREADY_DISABLED");
		assert.equal(await code(w.projects, "disablePerson", { personId: "nobody" }), "PERSON_NOT_FOUND");
	});

	await t.test("a key is made, works and is ended", async () => {
		const { ok, result } = await run(boss.token, "createGlobalApiKey", { description: "minting", roles: ["project_admin"] });
		const { id, token, identity } = result.apiKey;
		assert.deepEqual([ok, identity.description, identity.roles], [true, "minting", ["project_admin"]]);
		assert.equal((await run(token, "createSessionToken", { email: ada.email })).ok, true);
		assert.equal(await code(w.projects, "disableApiKey", { id }), "ok");
		assert.equal(await w.refused(token), true);
		assert.equal(await code(w.projects, "disableApiKey", { id }), "KEY_NOT_FOUND");
	});
	await t.test("keys have rights that their maker may give", async () => {
		await assert.rejects(run(ada.token, "createGlobalApiKey", { description: "x" }), forbidden);
		await assert.rejects(run(w.projects, "createGlobalApiKey", { description: "x", roles: ["super_admin"] }), forbidden);
		await assert.rejects(run(w.root, "createGlobalApiKey", { description: "x", tokenHash: "0".repeat(64) }), badInput);
		await assert.rejects(run(ada.token, "disableApiKey", { id: "x" }), forbidden);
	});
	await t.test("there are no projects to make keys for", async () => {
		const variables = { projectSlug: "blog", description: "x", memberships: [{ role: "editor", variables: [{ name: "site", values: ["1"] }] }] };
		assert.equal(await code(w.root, "createApiKey", variables), "PROJECT_NOT_FOUND");
	});

	await t.test("roles are given and taken", async () => {
		const eve = await w.person("roles");
		const roles = async (name, list) => (await run(w.root, name, { identityId: eve.id, roles: list })).result.identity.roles;
		assert.deepEqual(await roles("addRoles", ["project_admin", "person"]), ["person", "project_admin"]);
		const { result } = await w.signIn(eve.email);
		assert.equal((await run(result.token, "createSessionToken", { email: ada.email })).ok, true);
		assert.deepEqual(await roles("removeRoles", ["project_admin"]), ["person"]);
		assert.equal(await w.refused(result.token), true);
		assert.equal(await code(w.root, "addRoles", { identityId: "nobody", roles: [] }), "IDENTITY_NOT_FOUND");
		assert.equal(await code(w.root, "addRoles", { identityId: eve.id, roles: [""] }), "INVALID_ROLE");
		await assert.rejects(run(w.projects, "addRoles", { identityId: eve.id, roles: ["super_admin"] }), forbidden);
		await assert.rejects(run(w.projects, "removeRoles", { identityId: boss.id, roles: ["super_admin"] }), forbidden);
	});

	await t.test("a second factor is set up, asked for and removed", async () => {
		const eve = await w.person("otp");
		assert.equal(await code(eve.token, "confirmOtp", { otpToken: "123456" }), "NOT_PREPARED");
		assert.equal(await code(eve.token, "disableOtp"), "OTP_NOT_ACTIVE");
		const { result } = await run(eve.token, "prepareOtp", { label: "My shop" });
		assert.match(result.otpUri, /^otpauth:\/\/totp\//);
		assert.equal(await code(eve.token, "confirmOtp", { otpToken: "000000" }), "INVALID_OTP_TOKEN");
		const now = Math.floor(Date.now() / 30_000);
		assert.equal(await code(eve.token, "confirmOtp", { otpToken: totp(result.otpSecret, now) }), "ok");
		assert.equal((await w.me(eve.token)).person.otpEnabled, true);
		assert.equal((await w.signIn(eve.email)).error.code, "OTP_REQUIRED");
		assert.equal((await w.signIn(eve.email, { otpToken: "000000" })).error.code, "INVALID_OTP_TOKEN");
		const signedIn = await w.signIn(eve.email, { otpToken: totp(result.otpSecret, now + 1) });
		assert.equal(signedIn.result.person.otpEnabled, true);
		assert.equal(await code(eve.token, "disableOtp"), "ok");
		assert.equal((await w.signIn(eve.email)).ok, true);
	});
	await t.test("a key has no second factor", () => assert.rejects(run(w.root, "prepareOtp"), forbidden));

	await t.test("a person of this API is one of the app's own flows, and the other way round", async () => {
		const own = await (await fetch(w.server.url + "/auth/me", { headers: { Session: ada.token } })).json();
		assert.equal(own.user.id, ada.id);
		const signIn = await fetch(w.server.url + "/auth/sign-in", {
			method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email: ada.email, password }),
		});
		const { session } = await signIn.json();
		assert.equal((await w.me(session.token)).person.email, ada.email);
		assert.equal(await code(ada.token, "signOut", { all: true }), "ok");
		assert.deepEqual([await w.refused(session.token), await w.refused(ada.token)], [true, true]);
	});
});
