// Phone numbers and the codes of texts, as applications use them through altogic.auth.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before, describe, test } from "node:test";
import { start } from "../server.mjs";
import { address, connect, password, signedIn } from "./client.mjs";

const other = "the bridge behind the mill";
let server;
before(async (t) => {
	server = await start(t, { compat: "altogic", "min-password": 8 });
});

let numbers = 0;
// number makes a phone number that nobody has.
const number = () => `+1415555${String(1000 + numbers++)}`;

// digits is the code of the newest text to a number.
const digits = async (phone) => /^\d{6}/.exec((await server.mail(phone)).text)[0];

// failed tells that a call failed as the client knows it: with a sentence for the user.
function failed({ errors }, status, ...codes) {
	assert.equal(errors?.status, status, JSON.stringify(errors));
	assert.deepEqual(errors.items.map((i) => i.code), codes);
	for (const item of errors.items) assert.match(item.message, /^[A-Z].*\.$/);
}

// verified signs a user up and verifies the number.
async function verified() {
	const client = connect(server);
	const phone = number();
	await client.auth.signUpWithPhone(phone, password, "Ada");
	const { user, session, errors } = await client.auth.verifyPhone(phone, await digits(phone));
	assert.equal(errors, null);
	return { client, phone, user, session };
}

describe("sign-up by phone", () => {
	test("gives a user and no session until the number is verified", async () => {
		const client = connect(server);
		const phone = number();
		const { user, session, errors } = await client.auth.signUpWithPhone(phone, password, "Ada Lovelace");
		assert.equal(errors, null);
		assert.equal(session, null);
		assert.equal(user.phone, phone);
		assert.equal(user.phoneVerified, false);
		assert.equal(user.name, "Ada Lovelace");
		assert.equal("email" in user, false);
		failed(await client.auth.signInWithPhone(phone, password), 403, "phone_not_verified");
	});
	test("takes fields, and phoneVerified spares the confirmation", async () => {
		const phone = number();
		const { user, session } = await connect(server).auth.signUpWithPhone(phone, password, { name: "Ada", plan: "gold", phoneVerified: true });
		assert.equal(user.plan, "gold");
		assert.equal(user.phoneVerified, false);
		assert.ok(session.token);
		assert.equal((await connect(server).auth.signInWithPhone(phone, password)).errors, null);
	});
	test("refuses a number that is taken, however it is written, and what is no number", async () => {
		const { phone } = await verified();
		failed(await connect(server).auth.signUpWithPhone(`${phone.slice(0, 2)} (${phone.slice(2, 5)}) ${phone.slice(5)}`, password), 409, "phoneTaken");
		failed(await connect(server).auth.signUpWithPhone("555-1000", password), 400, "invalidPhone");
		failed(await connect(server).auth.signUpWithPhone(number(), "short"), 400, "invalid_input");
	});
});

describe("verifyPhone", () => {
	test("signs the new user in", async () => {
		const { client, phone, user, session } = await verified();
		assert.equal(user.phoneVerified, true);
		assert.equal(session.userId, user._id);
		assert.equal((await client.auth.getUserFromDB()).user.phone, phone);
	});
	test("takes a code once, and no wrong one", async () => {
		const phone = number();
		await connect(server).auth.signUpWithPhone(phone, password);
		const code = await digits(phone);
		failed(await connect(server).auth.verifyPhone(phone, code === "000000" ? "000001" : "000000"), 400, "invalid_code");
		assert.equal((await connect(server).auth.verifyPhone(phone, code)).errors, null);
		failed(await connect(server).auth.verifyPhone(phone, code), 400, "invalid_code");
	});
	test("has five tries", async () => {
		const phone = number();
		await connect(server).auth.signUpWithPhone(phone, password);
		const code = await digits(phone);
		for (let i = 0; i < 5; i++) failed(await connect(server).auth.verifyPhone(phone, "no code"), 400, "invalid_code");
		failed(await connect(server).auth.verifyPhone(phone, code), 400, "invalid_code");
	});
});

describe("sign-in by phone", () => {
	test("with the password", async () => {
		const { phone, user } = await verified();
		const got = await connect(server).auth.signInWithPhone(phone, password);
		assert.equal(got.errors, null);
		assert.equal(got.user._id, user._id);
		assert.equal(got.session.userId, user._id);
	});
	test("tells a wrong password and an unknown number alike", async () => {
		const { phone } = await verified();
		const wrong = await connect(server).auth.signInWithPhone(phone, other);
		const unknown = await connect(server).auth.signInWithPhone(number(), other);
		failed(wrong, 401, "wrong_phone_or_password");
		assert.deepEqual(wrong.errors, unknown.errors);
	});
	test("with the code of a text", async () => {
		const { phone, user } = await verified();
		assert.equal((await connect(server).auth.sendSignInCode(phone)).errors, null);
		const client = connect(server);
		const got = await client.auth.signInWithCode(phone, await digits(phone));
		assert.equal(got.errors, null);
		assert.equal(got.user._id, user._id);
		assert.equal((await client.auth.getUserFromDB()).errors, null);
	});
	test("sends a code to nobody else, and says the same", async () => {
		const phone = number();
		assert.equal((await connect(server).auth.sendSignInCode(phone)).errors, null);
		assert.equal((await connect(server).auth.sendResetPwdCode(phone)).errors, null);
		assert.equal((await connect(server).auth.resendVerificationCode(phone)).errors, null);
		failed(await connect(server).auth.signInWithCode(phone, "123456"), 400, "invalid_code");
		const { mails } = await (await fetch(server.url + "/_studio/mail.json")).json();
		assert.equal(mails.some((m) => m.to === phone), false);
	});
});

describe("a forgotten password", () => {
	test("is chosen anew by the code of a text, and ends all sessions", async () => {
		const { client, phone } = await verified();
		assert.equal((await connect(server).auth.sendResetPwdCode(phone)).errors, null);
		assert.equal((await connect(server).auth.resetPwdWithCode(phone, await digits(phone), other)).errors, null);
		failed(await client.auth.getUserFromDB(), 401, "invalid_session_token");
		failed(await connect(server).auth.signInWithPhone(phone, password), 401, "wrong_phone_or_password");
		assert.equal((await connect(server).auth.signInWithPhone(phone, other)).errors, null);
	});
});

describe("changePhone", () => {
	test("is done when the code is there", async () => {
		const { client, phone, user } = await verified();
		const next = number();
		const asked = await client.auth.changePhone(password, next);
		assert.equal(asked.errors, null);
		assert.equal(asked.user.phone, phone);
		const changed = await client.auth.verifyPhone(next, await digits(next));
		assert.equal(changed.errors, null);
		assert.equal(changed.user._id, user._id);
		assert.equal(changed.user.phone, next);
		assert.equal((await client.auth.getUserFromDB()).user.phone, next);
		failed(await connect(server).auth.signInWithPhone(phone, password), 401, "wrong_phone_or_password");
		assert.equal((await connect(server).auth.signInWithPhone(next, password)).errors, null);
	});
	test("gives who has an address a number as well", async () => {
		const { client } = await signedIn(server, { email: address() });
		const phone = number();
		assert.equal((await client.auth.changePhone(password, phone)).errors, null);
		assert.equal((await client.auth.verifyPhone(phone, await digits(phone))).user.phone, phone);
		assert.equal((await connect(server).auth.signInWithPhone(phone, password)).errors, null);
	});
	test("wants the password, and a number that is free", async () => {
		const { client } = await verified();
		const { phone: taken } = await verified();
		failed(await client.auth.changePhone(other, number()), 403, "wrong_password");
		failed(await client.auth.changePhone(password, taken), 409, "number_taken");
		failed(await client.auth.changePhone(password, "555"), 400, "invalidPhone");
	});
});

test("texts are handed to the webhook of the settings", async (t) => {
	const got = [];
	const hook = createServer((request, answer) => {
		let body = "";
		request.on("data", (part) => (body += part));
		request.on("end", () => {
			got.push({ secret: request.headers.authorization, ...JSON.parse(body) });
			answer.end();
		});
	});
	await new Promise((done) => hook.listen(0, "127.0.0.1", done));
	t.after(() => hook.close());
	const paid = await start(t, { compat: "altogic", "sms-url": `http://127.0.0.1:${hook.address().port}/send`, "sms-secret": "hidden" });
	const phone = number();
	assert.equal((await connect(paid).auth.signUpWithPhone(phone, password)).errors, null);
	for (let tries = 0; got.length === 0 && tries < 100; tries++) await new Promise((done) => setTimeout(done, 50));
	assert.equal(got.length, 1);
	assert.equal(got[0].to, phone);
	assert.equal(got[0].secret, "Bearer hidden");
	assert.equal((await connect(paid).auth.verifyPhone(phone, /^\d{6}/.exec(got[0].text)[0])).errors, null);
	assert.equal(paid.log.join("").includes("hidden"), false);
});
