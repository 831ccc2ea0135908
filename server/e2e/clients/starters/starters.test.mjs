// People use the starters in a browser, from the first page to the last.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { start } from "../server.mjs";
import { open } from "./browser.mjs";
import { serve } from "./site.mjs";

const password = "a ferry across the river";
const other = "the bridge behind the mill";
const pictures = process.env.PICTURES; // folder where the documentation has them; none are taken without it

let browser;
before(async (t) => {
	browser = await open(t);
});

// launch serves a starter and the server that it calls.
async function launch(t, folder) {
	let server;
	const site = await serve(t, folder, () => server.url);
	server = await start(t, { compat: "altogic", origins: site, "app-url": site });
	return { site, server, at: (path) => site + path };
}

const linkOf = (mail) => /http:\S+/.exec(mail.text)[0];
const picture = (page, name) => pictures && page.screenshot(`${pictures}/${name}.png`);

test("accounts, from sign-up to the end of all sessions", async (t) => {
	const { server, at } = await launch(t, "auth");
	const email = "ada@example.com";
	const page = await browser.page(at("/sign-up"));

	await page.sees("Create an account");
	await page.fill({ name: "Ada", email: "ada", password: "short" });
	await page.run(() => (document.querySelector("form").noValidate = true));
	await page.click("Create");
	const wrong = await page.sees("must be an e-mail address");
	assert.match(wrong, /must have at least 6 characters/);
	await page.fill({ name: "Ada", email, password });
	await page.click("Create");
	await page.sees("Check your mail");

	await page.go(linkOf(await server.mail(email)));
	await page.sees("Hello, Ada");
	await page.sees("ada@example.com, confirmed");
	await page.sees("this one");

	await page.fill({ name: "Ada Lovelace", profilePicture: "https://example.com/ada.png" });
	await page.click("Save profile");
	await page.sees("Hello, Ada Lovelace");

	const phone = await browser.page(at("/sign-in"));
	await phone.sees("Sign in");
	await phone.fill({ email, password: "another ferry" });
	await phone.click("Sign in");
	await phone.sees("The e-mail address or the password is wrong.");
	await phone.fill({ email, password });
	await phone.click("Sign in");
	await phone.sees("Hello, Ada Lovelace");

	await page.go(at("/"));
	await page.sees("End");
	await picture(page, "sessions");
	await page.click("End");
	await page.run(() => new Promise((done) => setTimeout(done, 300)));
	assert.equal(await page.run(() => document.querySelectorAll("td button").length), 0);
	await phone.go(at("/"));
	await phone.sees("Forgot the password?");

	await phone.click("Sign in by mail");
	await phone.fill({ email });
	await phone.click("Send a link");
	await phone.sees("a link was sent");
	await phone.go(linkOf(await server.mail(email)));
	await phone.sees("Hello, Ada Lovelace");

	await page.go(at("/"));
	await page.sees("Change password");
	await page.fill({ oldPassword: password, newPassword: other });
	await page.click("Change password");
	await page.run(() => new Promise((done) => setTimeout(done, 500)));
	await page.sees("this one");
	await phone.go(at("/"));
	await phone.sees("Forgot the password?");

	await phone.click("Forgot the password?");
	await phone.fill({ email });
	await phone.click("Send a link");
	await phone.sees("a link was sent");
	const reset = linkOf(await server.mail(email));
	await phone.go(reset);
	await phone.sees("Choose a new password");
	await phone.fill({ password });
	await phone.click("Save");
	await phone.sees("Forgot the password?");
	await phone.go(reset);
	await phone.sees("This did not work");
	await page.go(at("/"));
	await page.sees("Forgot the password?");

	await page.fill({ email, password });
	await page.click("Sign in");
	await page.sees("Sign out everywhere");
	await page.click("Sign out everywhere");
	await page.sees("Forgot the password?");
	assert.equal(await page.run(() => localStorage.getItem("session")), null);
});

test("a shop, kept by those of a group", async (t) => {
	const { server, at } = await launch(t, "shop");
	await server.addUser({ email: "root@example.com", password, groups: ["shopkeeper"] });
	await server.addUser({ email: "ada@example.com", password });
	const signIn = async (page, email) => {
		await page.sees("E-mail");
		await page.fill({ email, password });
		await page.click("Sign in", 1); // the first one is a link
		await page.sees("Sign out");
	};

	const keeper = await browser.page(at("/sign-in"));
	await signIn(keeper, "root@example.com");
	await keeper.click("Keeper");
	await keeper.fill({ sku: "INK-1", name: "Ink", price: "300", stock: "5" });
	await keeper.click("Add");
	await keeper.sees("5 left");
	await keeper.click("Keeper");
	await keeper.fill({ sku: "INK-1", name: "Ink", price: "300", stock: "5" });
	await keeper.click("Add");
	await keeper.sees("Another product has this number.");

	const page = await browser.page(at("/"));
	await page.sees("€3.00");
	await page.click("Buy");
	await signIn(page, "ada@example.com");
	assert.doesNotMatch(await page.sees("5 left"), /Keeper/);
	await page.go(at("/keeper"));
	await page.sees("Add a product");
	await page.fill({ sku: "PEN-1", name: "Pen", price: "100", stock: "1" });
	await page.click("Add");
	await page.sees("You do not have the rights for this.");

	await page.go(at("/"));
	await page.sees("5 left");
	await page.click("Buy");
	await page.sees("1 × INK-1");
	await page.click("Remove");
	await page.run(() => new Promise((done) => setTimeout(done, 300)));
	await page.fill({ name: "Ada", street: "1 Mill Lane", city: "Gent" });
	await page.click("Order");
	await page.sees("There is nothing in your basket.");
	await page.go(at("/"));
	await page.sees("Buy");
	await page.click("Buy");
	await page.sees("1 × INK-1");
	await picture(page, "basket");
	await page.fill({ name: "Ada", street: "1 Mill Lane", city: "Gent" });
	await page.click("Order");
	await page.sees("paid");
	await page.go(at("/"));
	await page.sees("4 left");
	await picture(page, "shop");

	await server.run(["session", "end-all", "--user", "ada@example.com"]);
	await page.go(at("/orders"));
	await page.sees("E-mail"); // the client has forgotten the session and leads to the sign-in
});
