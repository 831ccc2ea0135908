package openapi_test

// federationStory signs in at providers and by passkeys. There is neither, so
// what succeeds is made up.
func federationStory() []call {
	const (
		eve  = `{"email": "eve.linked@example.com", "password": "a ferry across the river"}`
		back = `{"state": "s", "code": "c"}`
		key  = `{"attempt": "a", "credential": {}}`
		made = `{"attempt": "a", "credential": {}, "name": "phone"}`
	)
	return []call{
		{endpoint: "POST /auth/sign-up", body: eve, status: 201, keep: "linked"},
		{endpoint: "POST /auth/oidc/acme/start", at: "/auth/oidc/{provider}/start", status: 404, code: "unknownProvider"},
		{endpoint: "POST /auth/oidc/acme/start", at: "/auth/oidc/{provider}/start", status: 200, madeUp: true},
		{endpoint: "POST /auth/oidc/finish", body: back, status: 401, code: "expired"},
		{endpoint: "POST /auth/oidc/finish", body: back, status: 202, madeUp: true},
		{endpoint: "POST /auth/identities/acme/start", at: "/auth/identities/{provider}/start", token: "linked", status: 404, code: "unknownProvider"},
		{endpoint: "POST /auth/identities/acme/start", at: "/auth/identities/{provider}/start", token: "linked", status: 200, madeUp: true},
		{endpoint: "POST /auth/identities", body: back, token: "linked", status: 401, code: "expired"},
		{endpoint: "POST /auth/identities", body: back, token: "linked", status: 201, madeUp: true},
		{endpoint: "GET /auth/identities", token: "linked", status: 200},
		{endpoint: "GET /auth/identities", status: 401, code: "missing_session_token"},
		{endpoint: "DELETE /auth/identities/" + nobodys, token: "linked", status: 404, code: "notFound"},
		{endpoint: "DELETE /auth/identities/" + nobodys, token: "linked", status: 204, madeUp: true},
		{endpoint: "POST /auth/passkey/challenge", status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/passkey/challenge", status: 200, madeUp: true},
		{endpoint: "POST /auth/passkey/sign-in", body: key, status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/passkey/sign-in", body: key, status: 200, madeUp: true},
		{endpoint: "POST /auth/passkeys/offer", token: "linked", status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/passkeys/offer", token: "linked", status: 200, madeUp: true},
		{endpoint: "POST /auth/passkeys", body: made, token: "linked", status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/passkeys", body: made, token: "linked", status: 201, madeUp: true},
		{endpoint: "GET /auth/passkeys", token: "linked", status: 200},
		{endpoint: "GET /auth/passkeys", status: 401, code: "missing_session_token"},
		{endpoint: "DELETE /auth/passkeys/" + nobodys, token: "linked", status: 404, code: "notFound"},
		{endpoint: "DELETE /auth/passkeys/" + nobodys, token: "linked", status: 204, madeUp: true},
		{endpoint: "POST /auth/confirm-passkey/challenge", token: "linked", status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/confirm-passkey/challenge", token: "linked", status: 200, madeUp: true},
		{endpoint: "POST /auth/confirm-passkey", body: key, token: "linked", status: 404, code: "passkeysOff"},
		{endpoint: "POST /auth/confirm-passkey", body: key, token: "linked", status: 200, madeUp: true},
	}
}
