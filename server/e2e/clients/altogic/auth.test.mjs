// Accounts and sessions, as applications use them through altogic.auth.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { start } from "../server.mjs";
import { address, connect, follow, password, signedIn } from "./client.mjs";

const other = "the bridge behind the mill";
let server;
before(async (t) => {
	server = await start(t, { compat: "altogic", "min-password": 8 });
});

// failed tells that a call failed as the client knows it: with a sentence for the user.
function failed({ errors }, status, ...codes) {
	assert.equal(errors?.status, status, JSON.stringify(errors));
	assert.deepEqual(errors.items.map((i) => i.code), codes);
	for (const item of errors.items) assert.match(item.message, /^[A-Z].*\.$/);
}

// wholeSession tells that a session is one for the strictest of Altogic's clients.
function wholeSession(s, user) {
	assert.equal(s.userId, user._id);
	assert.match(s.token, /^\S{20,}$/);
	assert.match(s.creationDtm, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.ok(Array.isArray(s.accessGroupKeys));
	for (const of of [s.userAgent, s.userAgent.device, s.userAgent.os]) {
		for (const name of ["family", "major", "minor", "patch"]) assert.equal(typeof of[name], "string");
	}
}

describe("sign-up", () => {
	test("gives a user and no session until the address is confirmed", async () => {
		const client = connect(server);
		const email = address();
		const { user, session, errors } = await client.auth.signUpWithEmail(email, password, "Ada Lovelace");
		assert.equal(errors, null);
		assert.equal(session, null);
		assert.equal(user.email, email);
		assert.equal(user.name, "Ada Lovelace");
		assert.equal(user.provider, "altogic");
		assert.equal(user.providerUserId, user._id);
		assert.equal(user.emailVerified, false);
		assert.ok(user.signUpAt && user.lastLoginAt);
		assert.equal(JSON.stringify(user).includes(password), false);
		assert.equal(client.auth.getSession(), null);
	});
	test("takes fields of the application and none that say who the user is", async () => {
		const { user } = await connect(server).auth.signUpWithEmail(address(), password, {
			name: "Ada", profilePicture: "https://example.com/ada.png", settings: { theme: "dark" }, _id: "x", provider: "google", password: "y",
		});
		assert.equal(user.profilePicture, "https://example.com/ada.png");
		assert.deepEqual(user.settings, { theme: "dark" });
		assert.notEqual(user._id, "x");
		assert.equal(user.provider, "altogic");
		assert.equal("password" in user, false);
	});
	test("spares who says emailVerified the confirmation, and verifies nothing by it", async () => {
		const client = connect(server);
		const email = address();
		const { user, session } = await client.auth.signUpWithEmail(email, password, { name: "Ada", emailVerified: true });
		wholeSession(session, user);
		assert.equal(user.emailVerified, false);
		assert.equal(client.auth.getSession().token, session.token);
		assert.equal((await connect(server).auth.signInWithEmail(email, password)).errors, null);
	});
	test("tells all that is wrong at once", async () => {
		const got = await connect(server).auth.signUpWithEmail("ada", "short");
		failed(got, 400, "invalid_input", "invalid_input");
		assert.equal(got.user, null);
		assert.equal(got.session, null);
	});
	test("tells one thing where one is wrong", async () => {
		failed(await connect(server).auth.signUpWithEmail("ada", password), 400, "invalid_input");
		failed(await connect(server).auth.signUpWithEmail(address(), "a1b2c"), 400, "invalid_input");
		failed(await connect(server).auth.signUpWithEmail(address(), "password"), 400, "weakPassword");
	});
	test("refuses an address that somebody has, however it is written", async () => {
		const email = address();
		await server.addUser({ email, password });
		failed(await connect(server).auth.signUpWithEmail(email.toUpperCase(), password), 409, "emailTaken");
	});
	test("works while the client still holds a session that has ended", async () => {
		const { client } = await signedIn(server);
		const token = client.auth.getSession().token;
		await client.auth.signOutAll();
		client.auth.setSession({ token });
		const { errors } = await client.auth.signUpWithEmail(address(), password, "Eve");
		assert.equal(errors, null);
	});
});

describe("sign-in", () => {
	test("gives the user and a whole session", async () => {
		const { client, user, session } = await signedIn(server, { name: "Ada", groups: ["staff", "editor"] });
		wholeSession(session, user);
		assert.equal(user.name, "Ada");
		assert.deepEqual(session.accessGroupKeys, ["editor", "staff"]);
		assert.equal(client.auth.getUser()._id, user._id);
	});
	test("mints a token of its own each time", async () => {
		const { email, session } = await signedIn(server);
		const again = await connect(server).auth.signInWithEmail(email, password);
		assert.notEqual(again.session.token, session.token);
	});
	test("works while signed in already", async () => {
		const { client, email } = await signedIn(server);
		const { session, errors } = await client.auth.signInWithEmail(email, password);
		assert.equal(errors, null);
		assert.equal(client.auth.getSession().token, session.token);
	});
	test("says the same of a wrong password and of nobody", async () => {
		const { email } = await signedIn(server);
		const wrong = await connect(server).auth.signInWithEmail(email, other);
		const nobody = await connect(server).auth.signInWithEmail(address(), other);
		failed(wrong, 401, "invalid_credentials");
		assert.deepEqual(nobody, wrong);
	});
	test("asks who has not confirmed the address to do so", async () => {
		const email = address();
		await connect(server).auth.signUpWithEmail(email, password);
		failed(await connect(server).auth.signInWithEmail(email, password), 403, "email_not_verified");
		failed(await connect(server).auth.signInWithEmail(email, other), 401, "invalid_credentials");
	});
	test("works while the client still holds a session that has ended", async () => {
		const { client, email } = await signedIn(server);
		const token = client.auth.getSession().token;
		await connect(server).auth.signInWithEmail(email, password);
		await client.auth.signOutAll();
		client.auth.setSession({ token });
		assert.equal((await client.auth.signInWithEmail(email, password)).errors, null);
	});
});

describe("sessions", () => {
	test("getUserFromDB gives the bare user", async () => {
		const { client, user } = await signedIn(server, { name: "Ada" });
		const got = await client.auth.getUserFromDB();
		assert.equal(got.errors, null);
		assert.equal(got.user._id, user._id);
		assert.equal(got.user.name, "Ada");
	});
	test("getAllSessions gives a bare array with the own token and no other one", async () => {
		const { client, email, user, session } = await signedIn(server);
		const second = await connect(server).auth.signInWithEmail(email, password);
		const { sessions, errors } = await client.auth.getAllSessions();
		assert.equal(errors, null);
		assert.equal(sessions.length, 2);
		for (const s of sessions) wholeSession(s, user);
		assert.ok(sessions.some((s) => s.token === session.token));
		assert.ok(!sessions.some((s) => s.token === second.session.token));
		assert.equal(new Set(sessions.map((s) => s.token)).size, 2);
		assert.equal(new Set(sessions.map((s) => s.creationDtm)).size, 2);
	});
	test("what stands for the token of another session opens nothing", async () => {
		const { client, email, session } = await signedIn(server);
		await connect(server).auth.signInWithEmail(email, password);
		const { sessions } = await client.auth.getAllSessions();
		const handle = sessions.find((s) => s.token !== session.token).token;
		const thief = connect(server);
		thief.auth.setSession({ token: handle });
		failed(await thief.auth.getUserFromDB(), 401, "invalid_session_token");
	});
	test("signOut ends another session by what the list has for its token", async () => {
		const { client, email, session } = await signedIn(server);
		const phone = connect(server);
		await phone.auth.signInWithEmail(email, password);
		const { sessions } = await client.auth.getAllSessions();
		const { errors } = await client.auth.signOut(sessions.find((s) => s.token !== session.token).token);
		assert.equal(errors, null);
		failed(await phone.auth.getUserFromDB(), 401, "invalid_session_token");
		assert.equal((await client.auth.getAllSessions()).sessions.length, 1);
	});
	test("signOut ends another session by its real token", async () => {
		const { client, email } = await signedIn(server);
		const phone = await connect(server).auth.signInWithEmail(email, password);
		assert.equal((await client.auth.signOut(phone.session.token)).errors, null);
		assert.equal((await client.auth.getAllSessions()).sessions.length, 1);
	});
	test("signOut ends the own session by its token", async () => {
		const { client, session } = await signedIn(server);
		assert.equal((await client.auth.signOut(session.token)).errors, null);
		assert.equal(client.auth.getSession(), null);
	});
	test("signOut ends no session of somebody else", async () => {
		const ada = await signedIn(server);
		const eve = await signedIn(server);
		failed(await eve.client.auth.signOut(ada.session.token), 404, "unknown_session");
		failed(await eve.client.auth.signOut(ada.session.id), 404, "unknown_session");
		assert.equal((await ada.client.auth.getUserFromDB()).errors, null);
	});
	test("signOut ends the own session, and the next call says so", async () => {
		const { client, session } = await signedIn(server);
		assert.equal((await client.auth.signOut()).errors, null);
		assert.equal(client.auth.getSession(), null);
		client.auth.setSession(session);
		failed(await client.auth.getUserFromDB(), 401, "invalid_session_token");
	});
	test("a session that ended is forgotten by the client", async () => {
		const { client, session } = await signedIn(server);
		await client.auth.signOut();
		client.auth.setSession(session);
		await client.auth.getUserFromDB();
		assert.equal(client.auth.getSession(), null);
	});
	test("without a session there is nothing to sign out of", async () => {
		failed(await connect(server).auth.signOut(), 401, "missing_session_token");
		failed(await connect(server).auth.getAllSessions(), 401, "missing_session_token");
		failed(await connect(server).auth.getUserFromDB(), 401, "missing_session_token");
	});
	test("signOutAll ends them all, the caller's too", async () => {
		const { client, email, session } = await signedIn(server);
		const phone = connect(server);
		await phone.auth.signInWithEmail(email, password);
		assert.equal((await client.auth.signOutAll()).errors, null);
		assert.equal(client.auth.getSession(), null);
		client.auth.setSession(session);
		failed(await client.auth.getUserFromDB(), 401, "invalid_session_token");
		failed(await phone.auth.getUserFromDB(), 401, "invalid_session_token");
	});
	test("signOutAllExceptCurrent leaves the caller's", async () => {
		const { client, email } = await signedIn(server);
		const phone = connect(server);
		await phone.auth.signInWithEmail(email, password);
		assert.equal((await client.auth.signOutAllExceptCurrent()).errors, null);
		assert.equal((await client.auth.getAllSessions()).sessions.length, 1);
		failed(await phone.auth.getUserFromDB(), 401, "invalid_session_token");
	});
	test("the session goes on in a client that got it from elsewhere", async () => {
		const { session, user } = await signedIn(server);
		const ssr = connect(server);
		ssr.auth.setSession(session);
		assert.equal((await ssr.auth.getUserFromDB()).user._id, user._id);
	});
});

describe("passwords", () => {
	test("changePassword changes it and leaves the caller signed in alone", async () => {
		const { client, email } = await signedIn(server);
		const phone = connect(server);
		await phone.auth.signInWithEmail(email, password);
		assert.equal((await client.auth.changePassword(other, password)).errors, null);
		assert.equal((await client.auth.getUserFromDB()).errors, null);
		failed(await phone.auth.getUserFromDB(), 401, "invalid_session_token");
		failed(await connect(server).auth.signInWithEmail(email, password), 401, "invalid_credentials");
		assert.equal((await connect(server).auth.signInWithEmail(email, other)).errors, null);
	});
	test("changePassword wants the old one", async () => {
		const { client } = await signedIn(server);
		failed(await client.auth.changePassword(other, other), 403, "wrong_password");
		assert.ok(client.auth.getSession());
	});
	test("changePassword wants a good one", async () => {
		const { client } = await signedIn(server);
		failed(await client.auth.changePassword("password1", password), 400, "weakPassword");
	});
	test("sendResetPwdEmail leads back with a token that resetPwdWithToken takes once", async () => {
		const { client, email } = await signedIn(server);
		assert.equal((await connect(server).auth.sendResetPwdEmail(email)).errors, null);
		const { seen } = await follow(await server.mail(email));
		assert.equal(seen.action, "reset-pwd");
		assert.equal(seen.status, "200");
		assert.equal((await connect(server).auth.resetPwdWithToken(seen.access_token, other)).errors, null);
		assert.equal((await connect(server).auth.signInWithEmail(email, other)).errors, null);
		failed(await client.auth.getUserFromDB(), 401, "invalid_session_token");
		failed(await connect(server).auth.resetPwdWithToken(seen.access_token, password), 400, "invalid_access_token");
	});
	test("a token to reset a password signs nobody in", async () => {
		const { email } = await signedIn(server);
		await connect(server).auth.sendResetPwdEmail(email);
		const { seen } = await follow(await server.mail(email));
		failed(await connect(server).auth.getAuthGrant(seen.access_token), 400, "invalid_access_token");
	});
	test("sendResetPwdEmail says the same of nobody", async () => {
		assert.equal((await connect(server).auth.sendResetPwdEmail(address())).errors, null);
	});
});

describe("providers", () => {
	test("one that is not set leads back to the application with an error", async () => {
		const { status, page, seen } = await follow({ text: server.url + "/_auth/google" });
		assert.equal(status, 302);
		assert.equal(page.pathname, "/auth-redirect");
		assert.equal(seen.action, "oauth-signin");
		assert.equal(seen.error, "There is no such provider.");
	});
	test("a sign-in that nobody began does so, too", async () => {
		const { seen } = await follow({ text: server.url + "/_auth/google/back?state=x&code=y&scope=openid" });
		assert.equal(seen.status, "400");
		assert.match(seen.error, /^This sign-in is over.*\.$/);
	});
});

describe("links of mails", () => {
	test("confirm an address, and getAuthGrant signs in", async () => {
		const client = connect(server);
		const email = address();
		await client.auth.signUpWithEmail(email, password, "Ada");
		const { status, page, seen } = await follow(await server.mail(email));
		assert.equal(status, 302);
		assert.equal(page.pathname, "/auth-redirect");
		assert.equal(seen.action, "email-confirm");
		assert.equal(seen.status, "200");
		const { user, session, errors } = await client.auth.getAuthGrant(seen.access_token);
		assert.equal(errors, null);
		wholeSession(session, user);
		assert.equal(user.emailVerified, true);
		assert.equal((await client.auth.getUserFromDB()).user.name, "Ada");
	});
	test("work once, and say so to the application", async () => {
		const email = address();
		await connect(server).auth.signUpWithEmail(email, password);
		const { link } = await follow(await server.mail(email));
		const { seen } = await follow({ text: link });
		assert.equal(seen.action, "email-confirm");
		assert.equal(seen.access_token, undefined);
		assert.match(seen.error, /^The link is wrong, too old, or was used before\.$/);
	});
	test("getAuthGrant takes a token once", async () => {
		const email = address();
		await connect(server).auth.signUpWithEmail(email, password);
		const { seen } = await follow(await server.mail(email));
		assert.equal((await connect(server).auth.getAuthGrant(seen.access_token)).errors, null);
		failed(await connect(server).auth.getAuthGrant(seen.access_token), 400, "invalid_access_token");
	});
	test("getAuthGrant without a token fails as a call, and does not throw", async () => {
		failed(await connect(server).auth.getAuthGrant(), 400, "invalid_access_token");
	});
	test("resendVerificationEmail takes an address with a plus as it is", async () => {
		const email = address("ada+shop");
		await connect(server).auth.signUpWithEmail(email, password);
		await server.mail(email);
		assert.equal((await connect(server).auth.resendVerificationEmail(email)).errors, null);
		failed(await connect(server).auth.resendVerificationEmail("ada"), 400, "invalid_input");
	});
	test("sendMagicLinkEmail signs in who has confirmed the address", async () => {
		const client = connect(server);
		const email = address("ada+magic");
		await client.auth.signUpWithEmail(email, password);
		await follow(await server.mail(email));
		assert.equal((await client.auth.sendMagicLinkEmail(email)).errors, null);
		const { seen } = await follow(await server.mail(email));
		assert.equal(seen.action, "magic-link");
		const { session, errors } = await client.auth.getAuthGrant(seen.access_token);
		assert.equal(errors, null);
		assert.ok(session.token);
	});
	test("changeEmail asks the new address first and gives the bare user", async () => {
		const { client, email, user } = await signedIn(server);
		const moved = address("countess");
		const got = await client.auth.changeEmail(password, moved);
		assert.equal(got.errors, null);
		assert.equal(got.user._id, user._id);
		assert.equal(got.user.email, email);
		const { seen } = await follow(await server.mail(moved));
		assert.equal(seen.action, "change-email");
		const granted = await client.auth.getAuthGrant(seen.access_token);
		assert.equal(granted.user.email, moved);
		assert.equal((await connect(server).auth.signInWithEmail(moved, password)).errors, null);
	});
	test("changeEmail wants the password", async () => {
		const { client } = await signedIn(server);
		failed(await client.auth.changeEmail(other, address()), 403, "wrong_password");
	});
	test("changeEmail to an address that somebody has by then says so", async () => {
		const { client } = await signedIn(server);
		const taken = address("taken");
		await client.auth.changeEmail(password, taken);
		await server.addUser({ email: taken, password });
		const { seen } = await follow(await server.mail(taken));
		assert.equal(seen.status, "409");
		assert.match(seen.error, /another user/);
	});
});
