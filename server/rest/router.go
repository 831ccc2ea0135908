package rest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A node is a place in the tree of routes, one segment of a path below its
// parent. The tree is immutable once it serves, and how long it takes to find a
// path depends on the path's segments and not on the number of routes.
//
// Paths are compared byte by byte as they were sent: letters keep their case, a
// trailing slash makes another path, and a percent-encoded letter is not the
// letter. So exactly one spelling leads to a path without parameters.
type node struct {
	static map[string]*node
	param  *node   // the child for {name}: any one segment that is not empty
	rest   *node   // the child for {name...}: all segments that are left, of which the first is not empty
	routes []route // ordered by method
	allow  string  // the methods, as the Allow header lists them
}

// A route is a method of a path.
type route struct {
	method, path string
	rest         bool // the last parameter has slashes
	ep           Endpoint
}

// maxParams is the number of parameters that a path can have.
const maxParams = 16

// params are the values of a path's parameters, still encoded.
type params [maxParams]string

var errTooManyParams = fmt.Errorf("a path can have %d parameters", maxParams)

// insert adds the route of ep below the root n.
func (n *node) insert(ep Endpoint) error {
	path, ok := strings.CutPrefix(ep.Path(), "/")
	if !ok {
		return errors.New("a path starts with a slash")
	}
	count, rest := 0, false
	for seg := range strings.SplitSeq(path, "/") {
		if rest {
			return errors.New("nothing can follow {name...}")
		}
		switch {
		case isParam(seg) && strings.HasSuffix(seg, "...}"):
			if count++; count > maxParams {
				return errTooManyParams
			}
			if n.rest == nil {
				n.rest = &node{}
			}
			n, rest = n.rest, true
		case isParam(seg):
			if count++; count > maxParams {
				return errTooManyParams
			}
			if n.param == nil {
				n.param = &node{}
			}
			n = n.param
		case strings.ContainsAny(seg, "{}"):
			return fmt.Errorf("%q is neither text nor one {parameter}", seg)
		default:
			child := n.static[seg]
			if child == nil {
				child = &node{}
				if n.static == nil {
					n.static = make(map[string]*node)
				}
				n.static[seg] = child
			}
			n = child
		}
	}
	return n.add(route{method: ep.Method(), path: ep.Path(), rest: rest, ep: ep})
}

func isParam(seg string) bool {
	return len(seg) > 2 && seg[0] == '{' && strings.IndexByte(seg, '}') == len(seg)-1 && strings.LastIndexByte(seg, '{') == 0
}

func (n *node) add(r route) error {
	at, taken := slices.BinarySearchFunc(n.routes, r.method, func(r route, method string) int {
		return strings.Compare(r.method, method)
	})
	if taken {
		return fmt.Errorf("%s %s is there already", r.method, n.routes[at].path)
	}
	n.routes = slices.Insert(n.routes, at, r)

	methods := []string{"OPTIONS"}
	for _, r := range n.routes {
		methods = append(methods, r.method)
		if r.method == "GET" {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	n.allow = strings.Join(slices.Compact(methods), ", ")
	return nil
}

// find returns the node of a path, which has lost its leading slash, and the
// number of values that it put into vals from got on; nil where no route has the
// path. Text beats a parameter in the same place, and that beats all the rest,
// place by place from the left.
func (n *node) find(path string, vals *params, got int) (*node, int) {
	end := strings.IndexByte(path, '/')
	last := end < 0
	if last {
		end = len(path)
	}
	if child := n.static[path[:end]]; child != nil {
		if last && len(child.routes) > 0 {
			return child, got
		}
		if !last {
			if found, k := child.find(path[end+1:], vals, got); found != nil {
				return found, k
			}
		}
	}
	if end == 0 {
		return nil, 0
	}
	if n.param != nil {
		vals[got] = path[:end]
		if last && len(n.param.routes) > 0 {
			return n.param, got + 1
		}
		if !last {
			if found, k := n.param.find(path[end+1:], vals, got+1); found != nil {
				return found, k
			}
		}
	}
	if n.rest != nil {
		vals[got] = path
		return n.rest, got + 1
	}
	return nil, 0
}

// route returns the route for a method, or nil. HEAD is answered by GET.
func (n *node) route(method []byte) *route {
	get := -1
	for i := range n.routes {
		switch m := n.routes[i].method; {
		case m == string(method):
			return &n.routes[i]
		case m == "GET":
			get = i
		}
	}
	if get >= 0 && string(method) == "HEAD" {
		return &n.routes[get]
	}
	return nil
}
