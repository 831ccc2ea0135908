// Accounts by Altogic's client: sign-up with a confirmation by mail, sign-in, links to
// sign in with, a new password, and the list of one's sessions.
import { createClient } from "altogic";
import { form, go, h, link, pages, show } from "../element.js";

const altogic = createClient(document.querySelector("meta[name=api]").content, "starter-client-key", { signInRedirect: "/sign-in" });
const email = ["email", "E-mail"];
const password = ["password", "Password"];

const signIn = () =>
	show(
		h("h1", {}, "Sign in"),
		form({ email, password }, "Sign in", async ({ email, password }) => {
			const { errors } = await altogic.auth.signInWithEmail(email, password);
			if (errors) return errors;
			go("/");
		}),
		h("nav", {}, link("/sign-up", "Create an account"), link("/magic-link", "Sign in by mail"), link("/forgot-password", "Forgot the password?")),
	);

const signUp = () =>
	show(
		h("h1", {}, "Create an account"),
		form({ name: ["text", "Name"], email, password }, "Create", async ({ name, email, password }) => {
			const { session, errors } = await altogic.auth.signUpWithEmail(email, password, name);
			if (errors) return errors;
			if (session) return go("/");
			show(h("h1", {}, "Check your mail"), h("p", {}, "A link to confirm your address was sent to " + email + "."));
		}),
		link("/sign-in", "I have an account"),
	);

// asking is a page that has a link sent.
const asking = (title, send) => () =>
	show(
		h("h1", {}, title),
		form({ email }, "Send a link", async ({ email }) => {
			const { errors } = await send(email);
			if (errors) return errors;
			show(h("h1", {}, "Check your mail"), h("p", {}, "If there is an account, a link was sent."));
		}),
	);

const redirected = async (query) => {
	if (query.get("error")) return show(h("h1", {}, "This did not work"), h("p", { className: "errors" }, query.get("error")), link("/sign-in", "Sign in"));
	if (query.get("action") === "reset-pwd") return go("/reset-password?access_token=" + query.get("access_token"));
	const { errors } = await altogic.auth.getAuthGrant(query.get("access_token"));
	if (errors) return show(h("p", { className: "errors" }, errors.items[0].message));
	go("/");
};

const resetPassword = (query) =>
	show(
		h("h1", {}, "Choose a new password"),
		form({ password: ["password", "New password"] }, "Save", async ({ password }) => {
			const { errors } = await altogic.auth.resetPwdWithToken(query.get("access_token"), password);
			if (errors) return errors;
			go("/sign-in");
		}),
	);

const home = async () => {
	if (!altogic.auth.getSession()) return go("/sign-in");
	const { user, errors } = await altogic.auth.getUserFromDB();
	if (errors) return go("/sign-in");
	show(
		h("h1", {}, "Hello, " + user.name),
		h("p", {}, user.email + (user.emailVerified ? ", confirmed" : "")),
		h("h2", {}, "Sessions"),
		await sessionList(),
		h("nav", {}, h("button", { onclick: async () => (await altogic.auth.signOut(), go("/sign-in")) }, "Sign out"),
			h("button", { onclick: async () => (await altogic.auth.signOutAllExceptCurrent(), home()) }, "Sign out the others"),
			h("button", { onclick: async () => (await altogic.auth.signOutAll(), go("/sign-in")) }, "Sign out everywhere")),
		form({ name: ["text", "Name"], profilePicture: ["url", "Picture"] }, "Save profile", async (values) => {
			const { data, errors } = await altogic.db.model("users").object(user._id).update(values);
			if (errors) return errors;
			altogic.auth.setUser(data);
			await home();
		}),
		form({ oldPassword: ["password", "Old password"], newPassword: ["password", "New password"] }, "Change password", async ({ oldPassword, newPassword }) => {
			const { errors } = await altogic.auth.changePassword(newPassword, oldPassword);
			if (errors) return errors;
			await home();
		}),
	);
};

async function sessionList() {
	const { sessions } = await altogic.auth.getAllSessions();
	const own = altogic.auth.getSession().token;
	const rows = sessions.map((s) =>
		h("tr", {},
			h("td", {}, `${s.userAgent.family} on ${s.userAgent.os.family}, ${s.userAgent.device.family}`),
			h("td", {}, new Date(s.creationDtm).toLocaleString("en-GB")),
			h("td", {}, s.token === own ? "this one" : h("button", { onclick: async () => (await altogic.auth.signOut(s.token), home()) }, "End"))));
	return h("table", {}, h("tr", {}, h("th", {}, "Program"), h("th", {}, "Since"), h("th", {}, "")), ...rows);
}

pages({
	"/": home,
	"/sign-in": signIn,
	"/sign-up": signUp,
	"/magic-link": asking("Sign in by mail", (email) => altogic.auth.sendMagicLinkEmail(email)),
	"/forgot-password": asking("Forgot the password?", (email) => altogic.auth.sendResetPwdEmail(email)),
	"/auth-redirect": redirected,
	"/reset-password": resetPassword,
});
