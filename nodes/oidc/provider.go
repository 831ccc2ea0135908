package oidc

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Provider is where users can sign in, as the settings have it.
type Provider struct {
	Name     string // by which flows know it
	Issuer   string // URL
	ClientID string
	Secret   string   // of the client; "" for a public one
	Scopes   []string // asked for; openid is always among them
	Redirect string   // URL of the page to which the provider sends users back
	// TrustEmail is whether the provider is believed about which addresses are
	// verified. Only a provider that lets nobody name the address of somebody
	// else is to be.
	TrustEmail bool
}

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	scopeName    = regexp.MustCompile(`^[!#-\[\]-~]+$`) // RFC 6749, section 3.3
)

// check says what is wrong with a provider.
func (p *Provider) check() error {
	switch {
	case !providerName.MatchString(p.Name):
		return fmt.Errorf("name %q is not of small letters, digits and hyphens", p.Name)
	case p.ClientID == "":
		return fmt.Errorf("provider %s has no client id", p.Name)
	}
	if err := secureURL(p.Issuer); err != nil {
		return fmt.Errorf("issuer of %s: %w", p.Name, err)
	}
	if err := secureURL(p.Redirect); err != nil {
		return fmt.Errorf("redirect of %s: %w", p.Name, err)
	}
	for _, s := range p.Scopes {
		if !scopeName.MatchString(s) {
			return fmt.Errorf("scope %q of %s is none", s, p.Name)
		}
	}
	return nil
}

// secureURL refuses an address that others could read or change on the way, or
// that holds what does not belong there.
func secureURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return errors.New("it must be a URL, as in https://accounts.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("it must have no user, query or fragment")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("it must begin with https://, or be on this machine")
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// scopes returns what to ask for, each once.
func (p *Provider) scopes() []string {
	all := append([]string{"openid"}, p.Scopes...)
	if len(p.Scopes) == 0 {
		all = append(all, "email", "profile")
	}
	var once []string
	for _, s := range all {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// A fence lets calls through to the issuer, and to the hosts that its discovery
// document names.
type fence struct {
	inside http.RoundTripper
	allows func(*url.URL) bool
}

var errOutside = errors.New("address is not one of the provider's")

func (f fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if !f.allows(r.URL) {
		return nil, fmt.Errorf("calling %s: %w", r.URL.Host, errOutside)
	}
	res, err := f.inside.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	}
	return res, err
}
