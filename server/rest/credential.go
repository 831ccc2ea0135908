package rest

import (
	"net/url"
	"strings"
)

// maxCredential is the length in bytes at which a token or key is cut. Real
// ones are far shorter, so what is cut was wrong before, and looking it up
// costs the same whatever a caller sends.
const maxCredential = 512

// places say where credentials are looked for beside the headers.
type places struct {
	keyInQuery bool
	cookie     bool
}

// given are the credentials of a request.
type given struct {
	token, key string
	query      string // without the key
	inCookie   bool   // where the token was, and nowhere else
}

// credentials returns the session token and the API key of a request, and the
// query without the key.
//
//	Session: <token>                the session token
//	Authorization: Bearer <token>   the session token as well
//	Authorization: <key>            the API key
//	Cookie: __Host-session=<token>  the session token as well, where a setting lets browsers keep it
//	?apikey=<key>                   the API key as well, where keys may be in the query
//
// The same credential twice is one; two different ones in one place are refused,
// since which of them wins must not be a matter of taste. Tokens in the query
// or the body are not read, and a key in the query is refused unless it may be
// there: addresses are written to logs and histories. A malformed Authorization counts as a session token
// that is wrong, so only an endpoint that needs a session refuses it.
func (p places) credentials(h *head, rawQuery string) (given, error) {
	token, key := authorization(h.authorization)
	if h.session != "" {
		if token != "" && token != h.session {
			return given{}, errAmbiguous
		}
		token = h.session
	}
	inCookie := false
	if p.cookie {
		kept, err := sessionCookie(h)
		if err != nil || kept != "" && token != "" && kept != token {
			return given{}, errAmbiguous
		}
		if inCookie = kept != "" && token == ""; inCookie {
			token = kept
		}
	}
	query, inQuery, err := takeKey(rawQuery)
	if err != nil {
		return given{}, err
	}
	if inQuery != "" && !p.keyInQuery {
		return given{}, errKeyInQuery
	}
	if inQuery != "" {
		if key != "" && key != inQuery {
			return given{}, errAmbiguous
		}
		key = inQuery
	}
	return given{token[:min(len(token), maxCredential)], key[:min(len(key), maxCredential)], query, inCookie}, nil
}

// authorization tells a session token from an API key: a key is one word, a
// token is a second word behind Bearer.
func authorization(value string) (token, key string) {
	scheme, rest := value, ""
	if i := strings.IndexAny(value, " \t"); i >= 0 {
		scheme, rest = value[:i], strings.TrimLeft(value[i:], " \t")
	}
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		if rest == "" || strings.ContainsAny(rest, " \t,") {
			return value, "" // no token is like it
		}
		return rest, ""
	case rest != "":
		return value, "" // another scheme
	}
	return "", value
}

// takeKey takes apikey out of a query, and leaves the rest as it was sent.
func takeKey(raw string) (query, key string, err error) {
	if !strings.Contains(raw, "apikey") && !strings.Contains(raw, "%") {
		return raw, "", nil
	}
	var rest []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(name, "%+") {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		if name != "apikey" {
			rest = append(rest, pair)
			continue
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			return "", "", errBadQuery
		}
		if key != "" && plain != key {
			return "", "", errAmbiguous
		}
		key = plain
	}
	return strings.Join(rest, "&"), key, nil
}
