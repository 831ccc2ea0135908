package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"sluice/engine"
)

const (
	callTime  = 5 * time.Second // of one call to a provider
	maxAnswer = 1 << 20         // bytes of an answer of a provider
	fresh     = time.Hour       // how long a discovery document is believed
	pause     = 5 * time.Second // after a failed discovery, until the next
	skew      = time.Minute     // how far clocks may be apart
)

// Providers are the providers of the settings, with what they say of
// themselves. They are safe for many goroutines.
type Providers struct {
	clients map[string]*client // by name
}

// NewProviders checks providers and makes them ready. It calls none of them:
// one that is away must not keep the server from starting.
func NewProviders(all ...Provider) (*Providers, error) {
	ps := &Providers{clients: map[string]*client{}}
	for _, p := range all {
		if err := p.check(); err != nil {
			return nil, err
		}
		if ps.clients[p.Name] != nil {
			return nil, fmt.Errorf("there are two providers %s", p.Name)
		}
		ps.clients[p.Name] = newClient(p)
	}
	return ps, nil
}

// named returns the client of a provider, or nil.
func (ps *Providers) named(name string) *client {
	if ps == nil {
		return nil
	}
	return ps.clients[name]
}

// A client is this server at one provider.
type client struct {
	Provider
	http   *http.Client
	issuer *url.URL

	mu     sync.Mutex
	known  *endpoints    // guarded by mu; nil before the first discovery
	at     time.Time     // of the last try; guarded by mu
	err    error         // of the last try; guarded by mu
	flight chan struct{} // closed when the discovery that is under way ends; nil for none; guarded by mu
	hosts  []string      // that the discovery document named; guarded by mu
}

// endpoints are what a provider says of itself.
type endpoints struct {
	provider *goidc.Provider
	oauth    oauth2.Config
	verifier *goidc.IDTokenVerifier
	userInfo bool // it tells more of a user at an endpoint of its own
	namesIss bool // it names itself when it sends a user back (RFC 9207)
}

func newClient(p Provider) *client {
	c := &client{Provider: p}
	c.issuer, _ = url.Parse(p.Issuer) // check has parsed it
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: callTime, ResponseHeaderTimeout: callTime,
	}
	c.http = &http.Client{
		Transport: fence{transport, c.allows}, Timeout: callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// allows tells whether an address is the issuer's or was named by it.
func (c *client) allows(u *url.URL) bool {
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(c.issuer.Hostname()) && loopback(u.Hostname())) {
		return false
	}
	if u.Scheme == c.issuer.Scheme && u.Host == c.issuer.Host {
		return true
	}
	// Discovery itself goes to the issuer only, so that the lock is free here.
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.hosts, u.Host)
}

// discover returns what the provider says of itself, from memory for an hour.
// One caller asks for all; a provider that is away is asked again after a few
// seconds.
func (c *client) discover(ctx context.Context) (*endpoints, error) {
	c.mu.Lock()
	known, age := c.known, time.Since(c.at)
	switch {
	case known != nil && (age < fresh || c.flight != nil):
		c.mu.Unlock()
		return known, nil
	case c.flight != nil:
		flight := c.flight
		c.mu.Unlock()
		select {
		case <-flight:
			return c.last()
		case <-ctx.Done():
			return nil, fmt.Errorf("asking provider %s: %w", c.Name, ctx.Err())
		}
	case c.err != nil && age < pause:
		c.mu.Unlock()
		return c.last()
	}
	c.flight, c.at = make(chan struct{}), time.Now()
	c.mu.Unlock()

	found, hosts, err := c.ask(ctx)
	c.mu.Lock()
	close(c.flight)
	c.flight, c.err = nil, nil
	if err != nil {
		c.err = fmt.Errorf("asking provider %s: %w: %w", c.Name, engine.ErrUnavailable, err)
	} else {
		c.known, c.hosts = found, hosts
	}
	c.mu.Unlock()
	return c.last()
}

// last returns what the last discovery found. Where one fails, what the
// provider said before still holds.
func (c *client) last() (*endpoints, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known != nil {
		return c.known, nil
	}
	return nil, c.err
}

// ask reads the discovery document. The caller who asks may leave: the answer
// is for all.
func (c *client) ask(ctx context.Context) (*endpoints, []string, error) {
	ctx, cancel := context.WithTimeout(goidc.ClientContext(context.WithoutCancel(ctx), c.http), callTime)
	defer cancel()
	p, err := goidc.NewProvider(ctx, c.Issuer)
	if err != nil {
		return nil, nil, err
	}
	var said struct {
		JWKS     string   `json:"jwks_uri"`
		UserInfo string   `json:"userinfo_endpoint"`
		Methods  []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&said); err != nil {
		return nil, nil, fmt.Errorf("reading its document: %w", err)
	}
	var hosts []string
	at := p.Endpoint()
	for what, text := range map[string]string{"authorization": at.AuthURL, "token": at.TokenURL, "keys": said.JWKS, "userinfo": said.UserInfo} {
		u, err := url.Parse(text)
		if text == "" && what == "userinfo" {
			continue
		}
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(c.issuer.Hostname()) && loopback(u.Hostname())) {
			return nil, nil, fmt.Errorf("its address for %s is not one to go to", what)
		}
		if what != "authorization" {
			hosts = append(hosts, u.Host)
		}
	}
	at.AuthStyle = oauth2.AuthStyleInHeader // which is what a document that names none means
	if c.Secret == "" || len(said.Methods) > 0 && !slices.Contains(said.Methods, "client_secret_basic") {
		at.AuthStyle = oauth2.AuthStyleInParams
	}
	return &endpoints{
		provider: p, userInfo: said.UserInfo != "", namesIss: said.NamesIss,
		oauth: oauth2.Config{ClientID: c.ClientID, ClientSecret: c.Secret, Endpoint: at, RedirectURL: c.Redirect, Scopes: c.scopes()},
		verifier: p.VerifierContext(goidc.ClientContext(context.Background(), c.http), &goidc.Config{
			ClientID: c.ClientID,
			SupportedSigningAlgs: []string{
				goidc.RS256, goidc.RS384, goidc.RS512, goidc.ES256, goidc.ES384, goidc.ES512, goidc.PS256, goidc.PS384, goidc.PS512, goidc.EdDSA,
			},
			Now: func() time.Time { return time.Now().Add(-skew) },
		}),
	}, hosts, nil
}

// errRefused says that the provider, or what it sent, does not prove anything.
var errRefused = errors.New("provider does not vouch for the user")

// redeem exchanges a code for tokens. Of an error it tells no more than its
// code, as the rest is text of the provider's choice.
func (c *client) redeem(ctx context.Context, e *endpoints, code, verifier string) (*oauth2.Token, error) {
	token, err := e.oauth.Exchange(goidc.ClientContext(ctx, c.http), code, oauth2.VerifierOption(verifier))
	var told *oauth2.RetrieveError
	switch {
	case err == nil:
		return token, nil
	case errors.As(err, &told) && told.Response != nil && told.Response.StatusCode < 500:
		if told.ErrorCode == "invalid_client" || told.ErrorCode == "unauthorized_client" {
			return nil, fmt.Errorf("redeeming code at %s: %w: it does not accept the client id and secret of the settings", c.Name, engine.ErrUnavailable)
		}
		return nil, fmt.Errorf("redeeming code at %s: %w: status %d, %.40q", c.Name, errRefused, told.Response.StatusCode, told.ErrorCode)
	case errors.As(err, &told) && told.Response != nil:
		return nil, fmt.Errorf("redeeming code at %s: %w: status %d", c.Name, engine.ErrUnavailable, told.Response.StatusCode)
	}
	return nil, fmt.Errorf("redeeming code at %s: %w: %w", c.Name, engine.ErrUnavailable, err)
}
