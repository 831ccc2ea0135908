// Package nodes is the catalogue of what flows can do with the domain: a folder
// a family, each with its types, the interface of its store and its nodes.
package nodes

import (
	"slices"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/attempt"
	"sluice/nodes/code"
	"sluice/nodes/data"
	"sluice/nodes/factor"
	"sluice/nodes/limit"
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

	Records record.Store // all of it, for backups and migrations; no node uses it
}

// A Post is what nodes need to send mail and to make codes.
type Post struct {
	mail.Post
	CodeKey   code.Key   // of the hashes of digits
	FactorKey factor.Key // of the secrets of second factors
}

// Core returns the nodes that every server has. Passwords are hashed and judged
// by h, and mail is sent by p. Without templates, flows can name any template.
func Core(s Stores, h *password.Hasher, p Post) []*engine.Node {
	wrong := limit.NewThrottle(s.Limits, h.Wrong()) // one for all that prove who a user is
	return slices.Concat(
		user.Nodes(s.Users, h), // fetch create update
		password.Nodes(s.Passwords, s.Users, s.Factors, wrong, h), // check judge set
		session.Nodes(s.Sessions, s.Users),                        // create get list update delete deleteAll deleteOthers rotate confirm impersonate
		apikey.Nodes(s.Keys),                                      // create get list update end
		code.Nodes(code.Means{ // send create redeem
			Codes: s.Codes, Users: s.Users, Passwords: s.Passwords, Factors: s.Factors, Post: p.Post, Key: p.CodeKey,
		}),
		factor.Nodes(s.Factors, s.Users, p.FactorKey), // totp: enroll confirm check delete; recovery: create redeem
		mail.Nodes(p.Post),                            // send
		data.Nodes(s.Data),                            // get find count create update delete write
	)
}
