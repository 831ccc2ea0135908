package passkey

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Settings say for whom passkeys are.
type Settings struct {
	// Domain is what passkeys are bound to: of the pages that use them, or a
	// parent of it. They are lost when it changes.
	Domain string
	// Origins are the pages that may use them, as in https://app.example.com.
	Origins []string
}

// A Party is the side that asks for passkeys. It is safe for many goroutines.
type Party struct{ auth *webauthn.WebAuthn }

// NewParty checks settings. It refuses pages that are not of the domain, or
// that others could change on the way to the browser.
func NewParty(s Settings) (*Party, error) {
	if s.Domain != strings.ToLower(s.Domain) || strings.ContainsAny(s.Domain, ":/@ ") || s.Domain != "localhost" && !strings.Contains(strings.Trim(s.Domain, "."), ".") {
		return nil, fmt.Errorf("passkeys cannot be bound to %q: want a domain, as in example.com, or localhost", s.Domain)
	}
	if len(s.Origins) == 0 {
		return nil, errors.New("passkeys need a page that may use them")
	}
	for _, o := range s.Origins {
		u, err := url.Parse(o)
		switch {
		case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o:
			return nil, fmt.Errorf("%q is no page for passkeys: want scheme and host, as in https://app.example.com", o)
		case u.Hostname() != s.Domain && !strings.HasSuffix(u.Hostname(), "."+s.Domain):
			return nil, fmt.Errorf("page %s is not of the domain %s of passkeys", o, s.Domain)
		case u.Scheme != "https" && !(u.Scheme == "http" && s.Domain == "localhost"):
			return nil, fmt.Errorf("page %s must begin with https:// for passkeys", o)
		}
	}
	required := true
	life := webauthn.TimeoutConfig{Enforce: true, Timeout: begun, TimeoutUVD: begun}
	auth, err := webauthn.New(&webauthn.Config{
		RPID: s.Domain, RPDisplayName: s.Domain, RPOrigins: s.Origins, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: life, Registration: life},
		// No extension is asked for, so that what one says does not count.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("setting passkeys up: %w", err)
	}
	return &Party{auth}, nil
}

// An owner is a user as authenticators see one.
type owner struct {
	id, name, shown string
	keys            []webauthn.Credential
}

func (o *owner) WebAuthnID() []byte                         { return []byte(o.id) }
func (o *owner) WebAuthnName() string                       { return o.name }
func (o *owner) WebAuthnDisplayName() string                { return o.shown }
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }
