package server

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sluice/nodes"
	"sluice/nodes/oidc"
	"sluice/nodes/passkey"
)

// A Provider is where users can sign in by OpenID Connect. As text it is its
// parts as NAME=VALUE with semicolons between them.
type Provider struct {
	Name       string   `json:"name"`
	Issuer     string   `json:"issuer"`
	ClientID   string   `json:"client-id"`
	SecretEnv  string   `json:"secret-env"` // environment variable with the secret; "" for a public client
	Scopes     []string `json:"scopes"`     // as text with + between them
	Redirect   string   `json:"redirect"`
	TrustEmail bool     `json:"trust-email"`
}

const providerWords = "name, issuer, client-id, redirect, and perhaps secret-env, scopes and trust-email, as in name=acme;issuer=https://accounts.example.com;…"

// parseProvider reads a provider from a text, and otherwise says what was wanted.
func parseProvider(p *Provider, text string) (want string) {
	*p = Provider{}
	v := reflect.ValueOf(p).Elem()
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		f, known := providerField(v, strings.TrimSpace(name))
		value = strings.TrimSpace(value)
		if !ok || !known || seen[name] || value == "" {
			return providerWords
		}
		seen[name] = true
		switch at := f.Addr().Interface().(type) {
		case *string:
			*at = value
		case *[]string:
			*at = strings.FieldsFunc(value, func(r rune) bool { return r == '+' || r == ' ' })
		case *bool:
			if value != "true" && value != "false" {
				return "trust-email=true or trust-email=false"
			}
			*at = value == "true"
		}
	}
	if p.SecretEnv != "" && !variableName.MatchString(p.SecretEnv) {
		return "the name of an environment variable in secret-env"
	}
	if _, err := oidc.NewProviders(p.provider()); err != nil {
		return "a provider that is safe: " + err.Error()
	}
	return ""
}

func providerField(v reflect.Value, name string) (reflect.Value, bool) {
	for f := range v.Type().Fields() {
		if f.Tag.Get("json") == name {
			return v.FieldByIndex(f.Index), true
		}
	}
	return reflect.Value{}, false
}

// provider is p without its secret.
func (p *Provider) provider() oidc.Provider {
	return oidc.Provider{
		Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, Scopes: p.Scopes, Redirect: p.Redirect, TrustEmail: p.TrustEmail,
	}
}

// trust is whose word the settings take for who a user is.
func (c *Config) trust(getenv func(string) string) (nodes.Trust, error) {
	var all []oidc.Provider
	for _, p := range c.Providers {
		made := p.provider()
		if p.SecretEnv != "" {
			if made.Secret = getenv(p.SecretEnv); made.Secret == "" {
				return nodes.Trust{}, fmt.Errorf("oidc-providers names %s for the secret of %s, but there is no such environment variable", p.SecretEnv, p.Name)
			}
		}
		all = append(all, made)
	}
	providers, err := oidc.NewProviders(all...)
	if err != nil {
		return nodes.Trust{}, fmt.Errorf("setting providers up: %w", err)
	}
	party, err := passkey.NewParty(passkey.Settings{Domain: c.PasskeyDomain, Origins: c.passkeyOrigins()})
	if err != nil {
		return nodes.Trust{}, err
	}
	return nodes.Trust{Providers: providers, Passkeys: party}, nil
}

// passkeyOrigins are the pages that may use passkeys. Where they are not set it
// is the page of the domain, or on the machine of a developer that of the server.
func (c *Config) passkeyOrigins() []string {
	switch {
	case len(c.PasskeyOrigins) > 0:
		return slices.Clone(c.PasskeyOrigins)
	case c.PasskeyDomain != "localhost":
		return []string{"https://" + c.PasskeyDomain}
	}
	_, port, err := net.SplitHostPort(c.Addr)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n == 0 {
		port = "8080"
	}
	return []string{"http://localhost:" + port}
}
