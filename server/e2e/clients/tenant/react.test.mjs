// The React parts of Contember as they are: LoginForm, IdentityProvider, the hook that
// logs out and two more forms, in a DOM without a browser.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Window } from "happy-dom";
import { documents, other, password, world } from "./client.mjs";
import { totp } from "./totp.mjs";

const tokenKey = "contember_session_token";
const window = new Window({ url: "https://app.example.com/", settings: { navigation: { disableMainFrameNavigation: true } } });
Object.assign(globalThis, { window, document: window.document, localStorage: window.localStorage, sessionStorage: window.sessionStorage, IS_REACT_ACT_ENVIRONMENT: true });
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });

const { createElement: h, act } = await import("react");
const { createRoot } = await import("react-dom/client");
const { ContemberClient } = await import("@contember/react-client");
const client = await import("@contember/react-client-tenant");

// The hooks tell of every failure in the console, also of those that are meant here.
const loud = { error: console.error, warn: console.warn };
let w;
before(async () => {
	Object.assign(console, { error() {}, warn() {} });
	w = await world();
});
after(async () => {
	Object.assign(console, loud);
	await w.server.stop();
});
beforeEach(() => window.localStorage.clear());

// show renders an application around parts, which seen collects what they see of.
async function show(t, ...parts) {
	const seen = {};
	const root = createRoot(document.body.appendChild(document.createElement("div")));
	const Eyes = () => {
		Object.assign(seen, { identity: client.useIdentity(), state: client.useIdentityState(), logout: client.useLogout() });
		return null;
	};
	await act(async () => {
		root.render(h(ContemberClient, { apiBaseUrl: w.server.url, loginToken: w.login }, h(client.IdentityProvider, null, h(Eyes), ...parts.map((part) => part(seen)))));
	});
	t.after(() => act(async () => root.unmount()));
	return seen;
}

// form is a form of the library whose fields seen.form gives.
const form = (Form, useForm, props = {}) => (seen) => {
	const Fields = () => {
		seen.form = useForm();
		return h("button");
	};
	return h(Form, { key: "form", ...props }, h("form", null, h(Fields)));
};
const login = (props) => form(client.LoginForm, client.useLoginForm, props);

// settle waits until what is seen holds.
async function settle(seen, holds) {
	for (let tries = 0; tries < 200 && !holds(seen); tries++) await act(() => new Promise((done) => setTimeout(done, 10)));
	assert.ok(holds(seen), `state ${seen.state}, form ${seen.form?.state} ${JSON.stringify(seen.form?.errors)}`);
}

async function submit(seen, values) {
	for (const [field, value] of Object.entries(values)) await act(async () => seen.form.setValue(field, value));
	await act(async () => {
		[...document.querySelectorAll("form")].at(-1).dispatchEvent(new window.Event("submit", { bubbles: true, cancelable: true }));
	});
	await settle(seen, () => !["submitting", "initial"].includes(seen.form.state));
}

test("nobody is signed in at first", async (t) => {
	const seen = await show(t);
	assert.deepEqual([seen.state, seen.identity], ["none", undefined]);
});

test("LoginForm signs in, and IdentityProvider tells who it is", async (t) => {
	const ada = await w.person("ada");
	let done = 0;
	const seen = await show(t, login({ onSuccess: () => done++ }));
	await submit(seen, { email: ada.email, password });
	await settle(seen, () => seen.state === "success");
	assert.deepEqual([seen.form.state, done, seen.form.values.password], ["success", 1, ""]);
	assert.deepEqual(seen.identity, {
		id: ada.id, roles: ["person"], projects: [], permissions: { canCreateProject: false, canDeployEntrypoint: false },
		person: { id: ada.id, email: ada.email, name: "ada", otpEnabled: false },
	});
	assert.equal((await w.me(window.localStorage.getItem(tokenKey))).id, ada.id);
});

test("a session of LoginForm lives for 14 days", async (t) => {
	const { email } = await w.person("days");
	const seen = await show(t, login());
	await submit(seen, { email, password });
	await settle(seen, () => seen.state === "success");
	const { session } = await (await fetch(w.server.url + "/auth/me", { headers: { Session: window.localStorage.getItem(tokenKey) } })).json();
	assert.equal(Math.round((Date.parse(session.expiresDtm) - Date.parse(session.lastSeenDtm)) / 86_400_000), 14);
});

test("LoginForm shows each failure at its field", async (t) => {
	const bob = await w.person("bob");
	const gone = await w.person("gone");
	await w.server.run(["user", "disable", gone.email]);
	for (const [values, code, field] of [
		[{ email: "nobody@example.com", password }, "UNKNOWN_EMAIL", "email"],
		[{ email: bob.email, password: other }, "INVALID_PASSWORD", "password"],
		[{ email: gone.email, password }, "PERSON_DISABLED", "email"],
		[{ email: "", password }, "FIELD_REQUIRED", "email"],
	]) {
		await t.test(code, async (t) => {
			const seen = await show(t, login());
			await submit(seen, values);
			assert.deepEqual([seen.form.state, seen.form.errors[0].code, seen.form.errors[0].field], ["error", code, field]);
			assert.equal(window.localStorage.getItem(tokenKey), null);
		});
	}
});

test("LoginForm asks for the second factor", async (t) => {
	const { email, token } = await w.person("factor");
	const { mutation } = await w.call(token, documents.prepareOtp);
	assert.equal(mutation.ok, true);
	const now = Math.floor(Date.now() / 30_000);
	await w.call(token, documents.confirmOtp, { otpToken: totp(mutation.result.otpSecret, now) });
	const seen = await show(t, login());
	await submit(seen, { email, password });
	assert.deepEqual([seen.form.state, seen.form.errors[0].code], ["otp-required", "OTP_REQUIRED"]);
	await submit(seen, { otpToken: "000000" });
	assert.deepEqual([seen.form.errors[0].code, seen.form.errors[0].field], ["INVALID_OTP_TOKEN", "otpToken"]);
	await submit(seen, { otpToken: totp(mutation.result.otpSecret, now + 1) });
	await settle(seen, () => seen.state === "success" && seen.identity.person.otpEnabled);
});

test("a session is restored from the browser's storage", async (t) => {
	const { token, id } = await w.person("back");
	window.localStorage.setItem(tokenKey, token);
	const seen = await show(t);
	await settle(seen, () => seen.state === "success");
	assert.equal(seen.identity.person.id, id);
});

test("a dead token logs out", async (t) => {
	const { token } = await w.person("dead");
	await w.call(token, documents.signOut);
	window.localStorage.setItem(tokenKey, token);
	const seen = await show(t);
	await settle(seen, () => seen.state === "cleared");
	assert.equal(window.localStorage.getItem(tokenKey), null);
});

test("useLogout ends the session here and on the server", async (t) => {
	const { token } = await w.person("leaving");
	window.localStorage.setItem(tokenKey, token);
	const seen = await show(t);
	await settle(seen, () => seen.state === "success");
	await act(() => seen.logout({ noRedirect: true }));
	assert.deepEqual([seen.state, seen.identity, window.localStorage.getItem(tokenKey)], ["cleared", undefined, null]);
	assert.equal(await w.refused(token), true);
});

test("ChangeMyPasswordForm changes the password", async (t) => {
	const { token, email } = await w.person("changing");
	window.localStorage.setItem(tokenKey, token);
	const seen = await show(t, form(client.ChangeMyPasswordForm, client.useChangeMyPasswordForm));
	await settle(seen, () => seen.state === "success");
	await submit(seen, { currentPassword: "not this one", newPassword: other, passwordConfirmation: other });
	assert.deepEqual([seen.form.errors[0].code, seen.form.errors[0].field], ["INVALID_PASSWORD", "currentPassword"]);
	await submit(seen, { currentPassword: password });
	assert.equal(seen.form.state, "success");
	assert.equal((await w.signIn(email, { password: other })).ok, true);
});

test("PasswordResetRequestForm sends a mail", async (t) => {
	const { email } = await w.person("reset");
	const seen = await show(t, form(client.PasswordResetRequestForm, client.usePasswordResetRequestForm));
	await submit(seen, { email });
	assert.equal(seen.form.state, "success");
	assert.match((await w.server.mail(email)).text, /code=/);
});
