package oidc

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// claims are what a provider says of a user beside the subject.
type claims struct {
	Email    string `json:"email"`
	Verified truth  `json:"email_verified"`
	Name     string `json:"name"`
	Party    string `json:"azp"`
}

// A truth is a boolean, which some providers write as a text.
type truth bool

// UnmarshalJSON takes true and "true" for true, and everything else for false.
func (t *truth) UnmarshalJSON(text []byte) error {
	*t = truth(bytes.Equal(text, []byte("true")) || bytes.Equal(text, []byte(`"true"`)))
	return nil
}

// verify reads the ID token that came with an access token, and returns the
// identity that it vouches for. Since is when the user was sent there.
func (c *client) verify(ctx context.Context, e *endpoints, got *oauth2.Token, nonce string, since time.Time) (Verified, error) {
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		return Verified{}, fmt.Errorf("%w: there is no ID token", errRefused)
	}
	token, err := e.verifier.Verify(goidc.ClientContext(ctx, c.http), raw)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	var said claims
	if err := token.Claims(&said); err != nil {
		return Verified{}, fmt.Errorf("%w: reading claims: %w", errRefused, err)
	}
	now := time.Now()
	switch {
	case token.Subject == "" || len(token.Subject) > 255:
		return Verified{}, fmt.Errorf("%w: the subject is missing or too long", errRefused)
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return Verified{}, fmt.Errorf("%w: the nonce is of another sign-in", errRefused)
	case said.Party != "" && said.Party != c.ClientID, said.Party == "" && len(token.Audience) > 1:
		return Verified{}, fmt.Errorf("%w: the token is for another party", errRefused)
	case token.IssuedAt.After(now.Add(skew)), token.IssuedAt.Before(since.Add(-skew)):
		return Verified{}, fmt.Errorf("%w: the token was not made for this sign-in", errRefused)
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(got.AccessToken); err != nil {
			return Verified{}, fmt.Errorf("%w: %w", errRefused, err)
		}
	}
	if said.Email == "" && e.userInfo {
		if err := c.more(ctx, e, got, token.Subject, &said); err != nil {
			return Verified{}, err
		}
	}
	return Verified{
		Subject: token.Subject, Issuer: c.Issuer, Provider: c.Name, Email: plain(said.Email, 254),
		EmailVerified: bool(said.Verified) && c.TrustEmail && said.Email != "", Name: plain(said.Name, 200),
	}, nil
}

// more asks the provider's endpoint for what the ID token does not say. What it
// answers is about the user only where it names the same subject.
func (c *client) more(ctx context.Context, e *endpoints, got *oauth2.Token, subject string, said *claims) error {
	info, err := e.provider.UserInfo(goidc.ClientContext(ctx, c.http), oauth2.StaticTokenSource(got))
	if err != nil {
		return nil // without it the user has no address, and is who the ID token says all the same
	}
	if info.Subject != subject {
		return fmt.Errorf("%w: userinfo is about another user", errRefused)
	}
	var raw json.RawMessage
	if err := info.Claims(&raw); err != nil {
		return fmt.Errorf("%w: reading userinfo: %w", errRefused, err)
	}
	party := said.Party
	if err := json.Unmarshal(raw, said); err != nil {
		return fmt.Errorf("%w: reading userinfo: %w", errRefused, err)
	}
	said.Party = party
	return nil
}

// plain returns a text of a provider as it can be shown, or "" where it cannot.
func plain(text string, most int) string {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > most || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return ""
	}
	return text
}
