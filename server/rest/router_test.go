package rest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// tree makes a router of routes as "GET /path".
func tree(tb testing.TB, routes ...string) *node {
	tb.Helper()
	root := &node{}
	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		if err := root.insert(fake{method: method, path: path}); err != nil {
			tb.Fatalf("insert(%s) = %v", r, err)
		}
	}
	return root
}

// lookup returns what a path leads to, as "pattern value value", or "".
func lookup(root *node, path string) string {
	var vals params
	n, k := root.find(path[1:], &vals, 0)
	if n == nil {
		return ""
	}
	found := n.routes[0].path
	for _, v := range vals[:k] {
		found += " " + v
	}
	return found
}

func TestOnePathLeadsToOnePattern(t *testing.T) {
	root := tree(t, "GET /", "GET /users", "GET /users/", "GET /users/{id}", "GET /users/me", "GET /users/me/keys",
		"GET /users/{id}/orders/{order}", "GET /{any}/new", "GET /a/{x}/c", "GET /a/b/d", "GET /Case",
		"GET /files/{path...}", "GET /files/new", "GET /files/{id}/text")
	tests := map[string]string{
		"/":                  "/",
		"/users":             "/users",
		"/users/":            "/users/",
		"/users/7":           "/users/{id} 7",
		"/users/me":          "/users/me",
		"/users/me/keys":     "/users/me/keys",
		"/users/me/orders/1": "/users/{id}/orders/{order} me 1",
		"/users/new":         "/users/{id} new",
		"/things/new":        "/{any}/new things",
		"/a/b/c":             "/a/{x}/c b", // text leads nowhere here, so the parameter gets its turn
		"/a/b/d":             "/a/b/d",
		"/a/z/d":             "",
		"/users/7/":          "",
		"/users/7/orders/":   "",
		"//users":            "",
		"/users//orders/1":   "",
		"/Users":             "",
		"/case":              "",
		"/USERS/7":           "",
		"/users/%6d%65":      "/users/{id} %6d%65", // not the way to /users/me
		"/%75sers":           "",
		"/users/7;x=1":       "/users/{id} 7;x=1",
		"/nowhere":           "",
		"/files/new":         "/files/new",
		"/files/7":           "/files/{path...} 7",
		"/files/7/text":      "/files/{id}/text 7",
		"/files/7/text/1":    "/files/{path...} 7/text/1",
		"/files/new/x/":      "/files/{path...} new/x/",
		"/files/":            "",
		"/files":             "",
	}
	for path, want := range tests {
		if got := lookup(root, path); got != want {
			t.Errorf("find(%s) = %q, want %q", path, got, want)
		}
	}
}

func TestMethodsOfAPathStandTogether(t *testing.T) {
	root := tree(t, "POST /users", "GET /users", "DELETE /users/{id}")
	tests := []struct{ path, method, want, allow string }{
		{"users", "GET", "GET", "GET, HEAD, OPTIONS, POST"},
		{"users", "HEAD", "GET", "GET, HEAD, OPTIONS, POST"},
		{"users", "POST", "POST", "GET, HEAD, OPTIONS, POST"},
		{"users", "get", "", "GET, HEAD, OPTIONS, POST"},
		{"users/1", "HEAD", "", "DELETE, OPTIONS"},
		{"users/1", "DELETE", "DELETE", "DELETE, OPTIONS"},
	}
	for _, tt := range tests {
		var vals params
		n, _ := root.find(tt.path, &vals, 0)
		got := ""
		if r := n.route([]byte(tt.method)); r != nil {
			got = r.method
		}
		if got != tt.want || n.allow != tt.allow {
			t.Errorf("route(%s /%s) = %q, allow %q, want %q, allow %q", tt.method, tt.path, got, n.allow, tt.want, tt.allow)
		}
	}
}

func TestInsertRefusesWhatCouldNotBeServed(t *testing.T) {
	tests := map[string]struct{ there, path, want string }{
		"the same":          {"/users", "/users", "GET /users is there already"},
		"another name":      {"/users/{id}", "/users/{name}", "GET /users/{id} is there already"},
		"no slash":          {"/", "users", "a path starts with a slash"},
		"empty":             {"/", "", "a path starts with a slash"},
		"half a parameter":  {"/", "/users/{id", `"{id" is neither text nor one {parameter}`},
		"text and more":     {"/", "/users/v{id}", `"v{id}" is neither text nor one {parameter}`},
		"two in one":        {"/", "/{a}{b}", `"{a}{b}" is neither text nor one {parameter}`},
		"more behind all":   {"/", "/a/{x...}/b", "nothing can follow {name...}"},
		"all twice":         {"/a/{x...}", "/a/{y...}", "GET /a/{x...} is there already"},
		"no name":           {"/", "/{}", `"{}" is neither text nor one {parameter}`},
		"too many of them":  {"/", strings.Repeat("/{x}", maxParams+1), "a path can have 16 parameters"},
		"as many as can be": {"/", strings.Repeat("/{x}", maxParams), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tree(t, "GET "+tt.there).insert(fake{method: "GET", path: tt.path}); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("insert(%s) = %q, want %q", tt.path, got, tt.want)
			}
		})
	}
}

// naive finds the pattern of a path by trying all of them: the one with text
// further left wins.
func naive(patterns []string, path string) string {
	var best []string
	segs := strings.Split(path[1:], "/")
	for _, p := range patterns {
		ps := strings.Split(p[1:], "/")
		if len(ps) != len(segs) {
			continue
		}
		fits := true
		for i, seg := range ps {
			fits = fits && (seg == segs[i] || isParam(seg) && segs[i] != "")
		}
		if fits && (best == nil || slices.CompareFunc(ps, best, func(a, b string) int {
			switch {
			case isParam(a) == isParam(b):
				return 0
			case isParam(b):
				return -1
			}
			return 1
		}) < 0) {
			best = ps
		}
	}
	if best == nil {
		return ""
	}
	found := "/" + strings.Join(best, "/")
	for i, seg := range best {
		if isParam(seg) {
			found += " " + segs[i]
		}
	}
	return found
}

// FuzzFind compares the tree with trying every pattern in turn.
func FuzzFind(f *testing.F) {
	f.Add("/a/b\n/a/{x}\n/{x}/b\n/{x}/{y}", "/a/b")
	f.Add("/a/{x}/c\n/a/b/d", "/a/b/c")
	f.Add("/\n//\n/{x}/", "/a/")
	f.Fuzz(func(t *testing.T, routes, path string) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		root := &node{}
		var patterns []string
		for p := range strings.SplitSeq(routes, "\n") {
			if root.insert(fake{method: "GET", path: p}) == nil {
				patterns = append(patterns, p)
			}
		}
		if got, want := lookup(root, path), naive(patterns, path); got != want {
			t.Errorf("find(%q) among %q = %q, want %q", path, patterns, got, want)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			var routes []string
			for i := range n {
				routes = append(routes, fmt.Sprintf("GET /area%d/things/{id}/parts/{part}", i))
			}
			root := tree(b, routes...)
			path := fmt.Sprintf("area%d/things/4711/parts/12", n/2)
			method := []byte("GET")
			b.ReportAllocs()
			for b.Loop() {
				var vals params
				place, k := root.find(path, &vals, 0)
				if k != 2 || place.route(method) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
