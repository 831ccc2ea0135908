package openapi_test

import "strings"

// altogicStory is what Altogic's client does. ACCESS is the token of the last
// link, and {NAME.user} the id of a user as in adminStory.
func altogicStory() []call {
	const (
		auth    = "/_api/rest/v1/auth/"
		object  = "/_api/rest/v1/db/object/"
		eve     = `{"email": "eve@example.com", "password": "a ferry across the river", "nameOrUserData": {"name": "Eve", "plan": "gold"}}`
		signIn  = `{"email": "eve@example.com", "password": "a ferry across the river"}`
		change  = `{"oldPassword": "a ferry across the river", "newPassword": "a bridge over the river"}`
		moved   = `{"currentPassword": "a bridge over the river", "newEmail": "eva@example.com"}`
		own     = `{"model": "users", "id": "{eve.user}", "options": {"cache": "nocache"}`
		address = "?email=eve%2Bshop@example.com"
		pia     = `{"phone": "+14155550100", "password": "a ferry across the river"}`
		number  = "?phone=%2B14155550100"
		part    = "/_api/rest/v1/{part}"
		long    = "a-provider-with-a-name-of-more-characters-than-any-has"
	)
	spared := strings.Replace(strings.Replace(eve, "eve@", "sam@", 1), `"plan"`, `"emailVerified": true, "plan"`, 1)
	return []call{
		{endpoint: "POST " + auth + "signup-email", body: eve, status: 200},
		{endpoint: "POST " + auth + "signup-email", body: spared, status: 200},
		{endpoint: "POST " + auth + "signup-email", body: eve, status: 409, code: "emailTaken"},
		{endpoint: "POST " + auth + "signin-email", body: signIn, status: 403, code: "email_not_verified"},
		{endpoint: "GET /_auth/email-confirm?code=CODE", status: 302},
		{endpoint: "GET /_auth/email-confirm", status: 400, code: "invalid_input"},
		{endpoint: "GET " + auth + "grant?key=ACCESS", status: 200},
		{endpoint: "GET " + auth + "grant?key=", status: 400, code: "invalid_access_token"},
		{endpoint: "POST " + auth + "signin-email", body: signIn, status: 200, keep: "eve"},
		{endpoint: "GET " + auth + "sessions", token: "eve", status: 200},
		{endpoint: "GET " + auth + "sessions", status: 401, code: "missing_session_token"},
		{endpoint: "GET " + auth + "user", token: "eve", status: 200},
		{endpoint: "GET " + auth + "user", token: "wrong", status: 401, code: "invalid_session_token"},
		{endpoint: "POST " + object + "get", body: own + "}", token: "eve", status: 200},
		{endpoint: "POST " + object + "get", body: strings.Replace(own, "users", "orders", 1) + "}", token: "eve", status: 501, code: "not_supported"},
		{endpoint: "POST " + object + "update", body: own + `, "values": {"plan": "silver"}}`, token: "eve", status: 200},
		{endpoint: "POST " + object + "update", body: strings.Replace(own, "{eve.user}", nobodys, 1) + `, "values": {}}`, token: "eve", status: 403, code: "not_your_own"},
		{endpoint: "POST " + object + "update-fields", body: own + `, "updates": [{"field": "plan", "updateType": "unset", "value": null}]}`, token: "eve", status: 200},
		{endpoint: "POST " + object + "update-fields", body: own + `, "updates": []}`, token: "eve", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "change-pwd", body: change, token: "eve", status: 204},
		{endpoint: "POST " + auth + "change-pwd", body: change, token: "eve", status: 403, code: "wrong_password"},
		{endpoint: "POST " + auth + "change-email", body: moved, token: "eve", status: 200},
		{endpoint: "POST " + auth + "change-email", body: strings.Replace(moved, "bridge", "boat", 1), token: "eve", status: 403, code: "wrong_password"},
		{endpoint: "GET /_auth/change-email?code=CODE", status: 302},
		{endpoint: "GET /_auth/change-email", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "resend" + address, status: 204},
		{endpoint: "POST " + auth + "resend?email=eve", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "send-magic?email=eva@example.com", status: 204},
		{endpoint: "POST " + auth + "send-magic", status: 400, code: "invalid_input"},
		{endpoint: "GET /_auth/magic-link?code=CODE", status: 302},
		{endpoint: "GET /_auth/magic-link", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "send-reset?email=eva@example.com", status: 204},
		{endpoint: "POST " + auth + "send-reset", status: 400, code: "invalid_input"},
		{endpoint: "GET /_auth/reset-pwd?code=CODE", status: 302},
		{endpoint: "GET /_auth/reset-pwd", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "reset-pwd?key=ACCESS", body: `{"newPassword": "a tunnel below the river"}`, status: 204},
		{endpoint: "POST " + auth + "reset-pwd?key=ACCESS", body: `{"newPassword": "a tunnel below the river"}`, status: 400, code: "invalid_access_token"},
		{endpoint: "POST " + auth + "signin-email", body: `{"email": "eva@example.com", "password": "a tunnel below the river"}`, status: 200, keep: "eva"},
		{endpoint: "POST " + auth + "signout-all-except", token: "eva", status: 204},
		{endpoint: "POST " + auth + "signout-all-except", token: "eve", status: 401, code: "invalid_session_token"},
		{endpoint: "POST " + auth + "signout", body: `{"token": "` + nobodys + `"}`, token: "eva", status: 404, code: "unknown_session"},
		{endpoint: "POST " + auth + "signout", body: `{}`, token: "eva", status: 204},
		{endpoint: "POST " + auth + "signin-email", body: `{"email": "sam@example.com", "password": "a ferry across the river"}`, status: 200, keep: "sam"},
		{endpoint: "POST " + auth + "signout-all", token: "sam", status: 204},
		{endpoint: "POST " + auth + "signout-all", token: "sam", status: 401, code: "invalid_session_token"},
		{endpoint: "POST " + auth + "signup-phone", body: `{"phone": "+1 415 555 0100", "password": "a ferry across the river", "nameOrUserData": "Pia"}`, status: 200},
		{endpoint: "POST " + auth + "signup-phone", body: pia, status: 409, code: "phoneTaken"},
		{endpoint: "POST " + auth + "signin-phone", body: pia, status: 403, code: "phone_not_verified"},
		{endpoint: "POST " + auth + "resend-code" + number, status: 204},
		{endpoint: "POST " + auth + "resend-code?phone=555", status: 400, code: "invalidPhone"},
		{endpoint: "POST " + auth + "verify-phone" + number + "&code=CODE", status: 200},
		{endpoint: "POST " + auth + "verify-phone" + number + "&code=CODE", status: 400, code: "invalid_code"},
		{endpoint: "POST " + auth + "signin-phone", body: pia, status: 200, keep: "pia"},
		{endpoint: "POST " + auth + "send-code" + number, status: 204},
		{endpoint: "POST " + auth + "send-code", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "signin-code" + number + "&code=CODE", status: 200},
		{endpoint: "POST " + auth + "signin-code" + number + "&code=CODE", status: 400, code: "invalid_code"},
		{endpoint: "POST " + auth + "change-phone", body: `{"currentPassword": "a ferry across the river", "newPhone": "+14155550109"}`, token: "pia", status: 200},
		{endpoint: "POST " + auth + "change-phone", body: `{"currentPassword": "a ferry across the river", "newPhone": "+14155550100"}`, token: "pia", status: 409, code: "number_taken"},
		{endpoint: "POST " + auth + "send-reset-code" + number, status: 204},
		{endpoint: "POST " + auth + "send-reset-code", status: 400, code: "invalid_input"},
		{endpoint: "POST " + auth + "reset-pwd-code" + number + "&code=CODE", body: `{"newPassword": "a tunnel below the river"}`, status: 204},
		{endpoint: "POST " + auth + "reset-pwd-code" + number + "&code=CODE", body: `{"newPassword": "a tunnel below the river"}`, status: 400, code: "invalid_code"},
		{endpoint: "GET /_auth/acme", at: "/_auth/{provider}", status: 302},
		{endpoint: "GET /_auth/" + long, at: "/_auth/{provider}", status: 400, code: "invalid_input"},
		{endpoint: "GET /_auth/acme/back?state=s&code=c", at: "/_auth/{provider}/back", status: 302},
		{endpoint: "GET /_auth/" + long + "/back", at: "/_auth/{provider}/back", status: 400, code: "invalid_input"},
		{endpoint: "GET /_api/rest/v1/cache?key=a", at: part, status: 501, code: "not_supported"},
		{endpoint: "POST /_api/rest/v1/queue", at: part, body: `{"message": 1}`, status: 501, code: "not_supported"},
		{endpoint: "PUT /_api/rest/v1/queue", at: part, body: `[1]`, status: 501, code: "not_supported"},
		{endpoint: "DELETE /_api/rest/v1/cache", at: part, body: `{"keys": ["a"]}`, status: 501, code: "not_supported"},
	}
}
