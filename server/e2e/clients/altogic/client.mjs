// What the tests share: clients as an application makes them, and users.
import { randomBytes } from "node:crypto";
import altogic from "altogic";

export const password = "a ferry across the river";

// storage is a localStorage as browsers have it.
export function storage() {
	const items = new Map();
	return {
		getItem: (name) => items.get(name) ?? null,
		setItem: (name, value) => void items.set(name, String(value)),
		removeItem: (name) => void items.delete(name),
	};
}

// connect makes a client of its own session.
export function connect(server, options = {}, key = "5f0b63b0c2") {
	const { realtime, ...client } = { realtime: null, ...options };
	return altogic.createClient(server.url ?? server, key, { localStorage: storage(), ...client });
}

// address makes an e-mail address that nobody has.
export const address = (name = "ada") => `${name}-${randomBytes(6).toString("hex")}@example.com`;

// signedIn adds a user and signs the user in.
export async function signedIn(server, more = {}) {
	const email = more.email ?? address();
	await server.addUser({ email, password, ...more });
	const client = connect(server);
	const { user, session, errors } = await client.auth.signInWithEmail(email, password);
	if (errors) throw new Error(JSON.stringify(errors));
	return { client, email, user, session };
}

// follow opens the link of a mail as a browser does, and returns what the page of the
// application sees in its address.
export async function follow(mail) {
	const link = /http:\S+/.exec(mail.text)[0];
	const answer = await fetch(link, { redirect: "manual" });
	const page = new URL(answer.headers.get("location"));
	return { link, status: answer.status, page, seen: Object.fromEntries(page.searchParams) };
}
