package audit

import "slices"

// A Kind is what an event tells. The list is closed: [Recorder] takes no other.
type Kind string

// Kinds of events about users and their sessions. Subject is the user.
const (
	UserCreated     Kind = "userCreated"
	UserChanged     Kind = "userChanged" // details: changed, names of fields
	UserDisabled    Kind = "userDisabled"
	UserEnabled     Kind = "userEnabled"
	UserDeleted     Kind = "userDeleted"
	SignIn          Kind = "signIn"           // a session was opened
	SignInFailed    Kind = "signInFailed"     // details: reason, which callers are not told
	ProofFailed     Kind = "proofFailed"      // the same of somebody who is signed in
	SignOut         Kind = "signOut"          // a session was ended by its own user
	SessionEnded    Kind = "sessionEnded"     // a session was ended by somebody else, or from another session
	SessionsEnded   Kind = "sessionsEnded"    // all of a user; details: sessions, how many, and kept, the one spared
	SessionRenewed  Kind = "sessionRenewed"   // it has a new token, and the old one is dead
	Confirmed       Kind = "sessionConfirmed" // its user has proved anew who they are
	GroupsChanged   Kind = "groupsChanged"    // of a user, or of sessions; details: set, add, remove
	PasswordChanged Kind = "passwordChanged"
	CodeSent        Kind = "codeSent" // details: purpose
	CodeRedeemed    Kind = "codeRedeemed"
	CodeRefused     Kind = "codeRefused"
	FactorAdded     Kind = "factorAdded" // a second factor counts from now on
	FactorRemoved   Kind = "factorRemoved"
	FactorFailed    Kind = "factorFailed"    // a code of a second factor, or a recovery code, was wrong
	RecoveryMade    Kind = "recoveryCreated" // there are new recovery codes; details: codes, how many
	RecoveryUsed    Kind = "recoveryUsed"
	PasskeyAdded    Kind = "passkeyAdded" // details: passkey, its id
	PasskeyRemoved  Kind = "passkeyRemoved"
	IdentityAdded   Kind = "identityAdded" // one at a provider; details: identity, its id, and provider
	IdentityRemoved Kind = "identityRemoved"
	Locked          Kind = "locked" // too many failures; seldom, see [Recorder.Seldom]

	ImpersonationBegan   Kind = "impersonationBegan" // details: reason
	ImpersonationEnded   Kind = "impersonationEnded"
	ImpersonationRefused Kind = "impersonationRefused"
)

// Kinds of events about API keys, whose public id is the subject.
const (
	KeyCreated Kind = "keyCreated"
	KeyChanged Kind = "keyChanged"
	KeyUsed    Kind = "keyUsed"    // seldom, see [Recorder.Seldom]
	KeyRefused Kind = "keyRefused" // seldom; what is no key at all is one of those that Refused counts
	KeyEnded   Kind = "keyEnded"
)

// Kinds of events about the server and the log itself.
const (
	Refused      Kind = "refused"      // calls with dead tokens, without the group and the like, counted; details: code, times, addresses
	DataExported Kind = "dataExported" // a backup was made
	DataImported Kind = "dataImported" // all that is there came from a backup or another store; details: the heads of its chains
	StudioUsed   Kind = "studioUsed"   // a file of the flows was changed, or a flow was run; details: what, file, to
	Started      Kind = "started"      // a server began to serve
	ChainBegan   Kind = "chainBegan"   // details: the heads of other chains
	Pruned       Kind = "pruned"       // details: through, the head with the last event that is gone
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{
		UserCreated, UserChanged, UserDisabled, UserEnabled, UserDeleted, SignIn, SignInFailed, ProofFailed, SignOut,
		SessionEnded, SessionsEnded, SessionRenewed, Confirmed, GroupsChanged, PasswordChanged, CodeSent, CodeRedeemed, CodeRefused,
		FactorAdded, FactorRemoved, FactorFailed, RecoveryMade, RecoveryUsed,
		PasskeyAdded, PasskeyRemoved, IdentityAdded, IdentityRemoved, Locked,
		ImpersonationBegan, ImpersonationEnded, ImpersonationRefused,
		KeyCreated, KeyChanged, KeyUsed, KeyRefused, KeyEnded,
		Refused, DataExported, DataImported, StudioUsed, Started, ChainBegan, Pruned,
	}
}

// Known tells whether a kind is one of [Kinds].
func (k Kind) Known() bool { return slices.Contains(Kinds(), k) }
