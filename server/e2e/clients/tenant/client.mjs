// What the tests say with Contember's own clients: documents of its typed builder,
// written and sent as its React hooks do.
import { GraphQlClient, GraphQlClientError } from "@contember/graphql-client";
import * as Tenant from "@contember/graphql-client-tenant";
import { TextWriter, util } from "graphql-ts-client-api";
import { start } from "../server.mjs";

export { GraphQlClientError, Tenant };

export const password = "a ferry across the river";
export const other = "a tunnel below the mountain";

// world starts a server with a key for sign-in pages, one of a super admin, and one
// of somebody who administers projects.
export async function world(t, settings = {}) {
	const server = await start(t, { compat: "tenant", origins: "*", ...settings });
	const key = (role) => server.addKey({ name: role, roles: [role] });
	const [login, root, projects] = [await key("login"), await key("super_admin"), await key("project_admin")];
	return new World(server, { login, root, projects });
}

class World {
	constructor(server, keys) {
		Object.assign(this, { server, ...keys });
	}

	// call sends a document of the typed builder and returns the data.
	call(token, fetcher, variables = {}, headers = {}) {
		return this.client(token).execute(textOf(fetcher), { variables, headers });
	}

	client(apiToken) {
		return new GraphQlClient({ url: this.server.url + "/tenant", apiToken });
	}

	// raw posts a body as it is.
	async raw(token, body, headers = {}) {
		const response = await fetch(this.server.url + "/tenant", {
			method: "POST",
			headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }), ...headers },
			body: typeof body === "string" ? body : JSON.stringify(body),
		});
		return { status: response.status, headers: response.headers, json: await response.json() };
	}

	// person adds somebody and signs in.
	async person(name, { groups } = {}) {
		const email = `${name}@example.com`;
		const id = /[0-9a-f-]{36}/.exec(await this.server.addUser({ email, password, name, groups }))[0];
		const { result } = await this.signIn(email);
		return { id, email, token: result.token };
	}

	async signIn(email, more = {}) {
		return (await this.call(this.login, documents.signIn, { email, password, ...more })).mutation;
	}

	async me(token) {
		return (await this.call(token, documents.me)).me;
	}

	// refused tells whether a token is dead.
	async refused(token) {
		const error = await this.me(token).then(() => undefined, (e) => e);
		return error instanceof GraphQlClientError && error.response?.status === 401;
	}
}

// textOf writes a document as useTenantApi does.
function textOf(fetcher) {
	const writer = new TextWriter();
	writer.text(fetcher.fetchableType.name.toLowerCase());
	if (fetcher.variableTypeMap.size !== 0) {
		writer.scope({ type: "ARGUMENTS", multiLines: fetcher.variableTypeMap.size > 2, suffix: " " }, () => {
			util.iterateMap(fetcher.variableTypeMap, ([name, type]) => {
				writer.seperator();
				writer.text(`$${name}: ${type}`);
			});
		});
	}
	writer.text(fetcher.toString());
	writer.text(fetcher.toFragmentString());
	return writer.toString();
}

const T = Tenant;
const person = T.person$.id.email.name.otpEnabled;
const alias = (o) => o.alias("mutation");

export const documents = {
	me: T.query$.me(
		T.identity$$.person(person)
			.projects(T.identityProjectRelation$.project(T.project$$).memberships(T.membership$$.variables(T.variableEntry$$)))
			.permissions(T.identityGlobalPermissions$$),
	),
	personById: T.query$.personById(T.person$$.identity(T.identity$$)),
	signIn: T.mutation$.signIn(T.signInResponse$$.errors(T.signInError$$).error(T.signInError$$).result(T.signInResult$$.person(person)), alias),
	signOut: T.mutation$.signOut(T.signOutResponse$$.errors(T.signOutError$$).error(T.signOutError$$), alias),
	createSessionToken: T.mutation$.createSessionToken(
		T.createSessionTokenResponse$$.error(T.createSessionTokenError$$).result(T.createSessionTokenResult$$.person(person)), alias),
	signUp: T.mutation$.signUp(T.signUpResponse$$.errors(T.signUpError$$).error(T.signUpError$$).result(T.signUpResult$.person(person)), alias),
	changePassword: T.mutation$.changePassword(T.changePasswordResponse$$.errors(T.changePasswordError$$).error(T.changePasswordError$$), alias),
	changeMyPassword: T.mutation$.changeMyPassword(T.changeMyPasswordResponse$$.error(T.changeMyPasswordError$$), alias),
	changeProfile: T.mutation$.changeProfile(T.changeProfileResponse$$.error(T.changeProfileError$$), alias),
	changeMyProfile: T.mutation$.changeMyProfile(T.changeMyProfileResponse$$.error(T.changeMyProfileError$$), alias),
	createResetPasswordRequest: T.mutation$.createResetPasswordRequest(
		T.createPasswordResetRequestResponse$$.errors(T.createPasswordResetRequestError$$).error(T.createPasswordResetRequestError$$), alias),
	resetPassword: T.mutation$.resetPassword(T.resetPasswordResponse$$.errors(T.resetPasswordError$$).error(T.resetPasswordError$$), alias),
	createApiKey: T.mutation$.createApiKey(
		T.createApiKeyResponse$$.errors(T.createApiKeyError$$).error(T.createApiKeyError$$.membershipValidation(T.membershipValidationError$$)), alias),
	createGlobalApiKey: T.mutation$.createGlobalApiKey(
		T.createApiKeyResponse$$.error(T.createApiKeyError$$).result(T.createApiKeyResult$.apiKey(T.apiKeyWithToken$$.identity(T.identity$$))), alias),
	disableApiKey: T.mutation$.disableApiKey(T.disableApiKeyResponse$$.errors(T.disableApiKeyError$$).error(T.disableApiKeyError$$), alias),
	disablePerson: T.mutation$.disablePerson(T.disablePersonResponse$$.error(T.disablePersonError$$), alias),
	addRoles: T.mutation$.addGlobalIdentityRoles(
		T.addGlobalIdentityRolesResponse$$.error(T.addGlobalIdentityRolesError$$).result(T.addGlobalIdentityRolesResult$.identity(T.identity$$)), alias),
	removeRoles: T.mutation$.removeGlobalIdentityRoles(
		T.removeGlobalIdentityRolesResponse$$.error(T.removeGlobalIdentityRolesError$$).result(T.removeGlobalIdentityRolesResult$.identity(T.identity$$)), alias),
	prepareOtp: T.mutation$.prepareOtp(T.prepareOtpResponse$$.result(T.prepareOtpResult$$), alias),
	confirmOtp: T.mutation$.confirmOtp(T.confirmOtpResponse$$.errors(T.confirmOtpError$$).error(T.confirmOtpError$$), alias),
	disableOtp: T.mutation$.disableOtp(T.disableOtpResponse$$.errors(T.disableOtpError$$).error(T.disableOtpError$$), alias),
};
