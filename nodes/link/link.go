// Package link makes URLs that lead people back: to a page of the application, or
// to an endpoint of the server. Where these are is a setting, so no request ever
// chooses the host that a link leads to.
package link

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"sluice/engine"
)

// Sites are where links begin. One that is nil is this machine.
type Sites struct {
	App    *url.URL // where the pages of the application are
	Server *url.URL // where callers reach the server
}

// Page returns the URL of a page of the application. The path is the path,
// whatever it is: it leads nowhere else.
func (s Sites) Page(path string, query url.Values) string { return below(s.App, path, query) }

// Endpoint returns the URL of an endpoint of the server.
func (s Sites) Endpoint(path string, query url.Values) string { return below(s.Server, path, query) }

func below(site *url.URL, path string, query url.Values) string {
	u := url.URL{Scheme: "http", Host: "localhost"}
	if site != nil {
		u = *site
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/"+strings.TrimLeft(path, "/"), ""
	u.RawQuery = query.Encode()
	return u.String()
}

// Nodes returns the link nodes.
func Nodes(s Sites) []*engine.Node {
	return []*engine.Node{
		engine.Define("link.make", "Makes the URL of a page of the application, below the setting app-url, or of an endpoint, below server-url.", s.make),
	}
}

type makeIn struct {
	Page     string         `json:"page,omitzero" max:"200" doc:"Path of a page of the application."`
	Endpoint string         `json:"endpoint,omitzero" max:"200" doc:"Path of an endpoint of the server."`
	Query    map[string]any `json:"query,omitzero" doc:"What follows the question mark. Null leaves a name out."`
	Token    string         `json:"token,omitzero" secret:"true" doc:"A secret that goes along in the query."`
	As       string         `json:"as" default:"token" doc:"Name of the secret in the query."`
}

func (makeIn) Alternatives() [][]string { return [][]string{{"page"}, {"endpoint"}} }

type makeOut struct {
	URL string `json:"url" secret:"once" doc:"The URL."`
}

func (s Sites) make(_ context.Context, in makeIn) (makeOut, error) {
	query := url.Values{}
	for name, v := range in.Query {
		if v != nil {
			query.Set(name, fmt.Sprint(v))
		}
	}
	if in.Token != "" {
		query.Set(in.As, in.Token)
	}
	if in.Page != "" {
		return makeOut{s.Page(in.Page, query)}, nil
	}
	return makeOut{s.Endpoint(in.Endpoint, query)}, nil
}
