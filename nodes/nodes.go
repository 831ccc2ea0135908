// Package nodes is the catalogue of what flows can do with the domain: a folder
// a family, each with its types, the interface of its store and its nodes.
package nodes

import (
	"slices"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/attempt"
	"sluice/nodes/audit"
	"sluice/nodes/code"
	"sluice/nodes/data"
	"sluice/nodes/factor"
	"sluice/nodes/limit"
	"sluice/nodes/link"
	"sluice/nodes/mail"
	"sluice/nodes/oidc"
	"sluice/nodes/passkey"
	"sluice/nodes/password"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Stores are what the core nodes, and the endpoints around them, keep their data in.
type Stores struct {
	Users     user.Store
	Passwords password.Store
	Sessions  session.Store
	Repeats   repeat.Store // of the endpoints; no node uses it
	Data      data.Store
	Limits    limit.Store
	Keys      apikey.Store
	Codes     code.Store
	Factors   factor.Store

	Attempts   attempt.Store // of proofs in two calls
	Identities oidc.Store
	Passkeys   passkey.Store

	Audit   audit.Store
	Records record.Store // all of it, for backups and migrations; no node uses it

	// Recorder writes to Audit what nodes and commands do; nil for nothing.
	Recorder *audit.Recorder
}

// A Post is what nodes need to send mail and to make codes.
type Post struct {
	mail.Post
	CodeKey   code.Key   // of the hashes of digits
	FactorKey factor.Key // of the secrets of second factors
}

// A Trust says whose word nodes take for who a user is. Who it does not name is
// not believed.
type Trust struct {
	Providers *oidc.Providers
	Passkeys  *passkey.Party
}

// Core returns the nodes that every server has. Passwords are hashed and judged
// by h, mail is sent by p, and others are believed as t says. Without templates,
// flows can name any template.
func Core(s Stores, h *password.Hasher, p Post, t Trust) []*engine.Node {
	wrong := limit.NewThrottle(s.Limits, h.Wrong()) // one for all that prove who a user is
	return slices.Concat(
		user.Nodes(s.Users, h, s.Recorder), // fetch create add update
		password.Nodes(password.Means{ // check exists judge set
			Passwords: s.Passwords, Users: s.Users, Factors: s.Factors, Wrong: wrong, Hasher: h, Audit: s.Recorder,
		}),
		session.Nodes(s.Sessions, s.Users, s.Recorder), // create get list update delete deleteAll deleteOthers rotate confirm impersonate
		apikey.Nodes(s.Keys, s.Recorder),               // create get list update end
		code.Nodes(code.Means{ // send create redeem
			Codes: s.Codes, Users: s.Users, Passwords: s.Passwords, Factors: s.Factors, Post: p.Post, Limits: s.Limits, Key: p.CodeKey, Audit: s.Recorder,
		}),
		factor.Nodes(s.Factors, s.Users, p.FactorKey, s.Recorder), // totp: enroll confirm check state delete; recovery: create redeem
		mail.Nodes(p.Post),  // send
		link.Nodes(p.Sites), // make
		oidc.Nodes(oidc.Means{ // start finish prove link linkByEmail signUp list unlink
			Providers: t.Providers, Identities: s.Identities, Attempts: s.Attempts, Users: s.Users, Factors: s.Factors, Ways: s.ways, Wrong: wrong, Audit: s.Recorder,
		}),
		passkey.Nodes(passkey.Means{ // offer register challenge verify list remove
			Party: t.Passkeys, Passkeys: s.Passkeys, Attempts: s.Attempts, Users: s.Users, Ways: s.ways, Wrong: wrong, Audit: s.Recorder,
		}),
		data.Nodes(s.Data), // get find count create update delete write
	)
}
