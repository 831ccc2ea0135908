package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

type nominalWithoutText struct{ N int }

func (nominalWithoutText) FlowType() (name, hint string) { return "n", "" }

type kind string

type itself struct {
	Next []itself `json:"next" doc:"Next."`
}

func nothing[In any](context.Context, In) (None, error) { return None{}, nil }

func define[In any]() { Define("a.b", "Does something.", nothing[In]) }

// A wrong definition is a bug of its author's and panics at start-up, saying
// which node, which field and why.
func TestDefinePanics(t *testing.T) {
	o := NewOutcome("gone", NotFound, "It is gone.")
	for name, tt := range map[string]struct {
		define func()
		want   string
	}{
		"name":             {func() { Define("fetch", "Does.", nothing[None]) }, `node name "fetch" is not noun.verb`},
		"no documentation": {func() { Define("a.b", "", nothing[None]) }, "node a.b has no documentation"},
		"outcome twice":    {func() { Define("a.b", "Does.", nothing[None], o, o) }, "names outcome gone twice"},
		"no struct":        {define[string], "a.b input is a string, want a struct"},
		"unexported": {define[struct {
			a string
		}], "a.b input.a is not exported"},
		"no name": {define[struct {
			A string `doc:"A."`
		}], "a.b input.A has no json name"},
		"no doc": {define[struct {
			A string `json:"a"`
		}], "a.b input.A has no documentation"},
		"type": {define[struct {
			A int32 `json:"a" doc:"A."`
		}], "a int32 cannot be used in flows"},
		"channel": {define[struct {
			A chan int `json:"a" doc:"A."`
		}], "a chan int cannot be used in flows"},
		"named text": {define[struct {
			A kind `json:"a" doc:"A."`
		}], "use the plain type instead of engine.kind"},
		"itself": {define[itself], "contains itself"},
		"nominal": {define[struct {
			A nominalWithoutText `json:"a" doc:"A."`
		}], "is no string"},
		"default": {define[struct {
			A int `json:"a" doc:"A." default:"many"`
		}], "its default must be an integer"},
		"default out of bounds": {define[struct {
			A int `json:"a" doc:"A." default:"9" max:"3"`
		}], "its default must be at most 3"},
		"bound": {define[struct {
			A int `json:"a" doc:"A." max:"lots"`
		}], `bound "lots"`},
		"format": {define[struct {
			A string `json:"a" doc:"A." format:"mail"`
		}], `format "mail" is not known`},
		"secret": {define[struct {
			A string `json:"a" doc:"A." secret:"yes"`
		}], `secret is "yes"`},
		"outcome": {func() { NewOutcome("gone", NotFound, "") }, "needs a name and a documentation"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("Define panicked with %q, want %q in it", got, tt.want)
				}
			}()
			tt.define()
		})
	}
}

type inner struct {
	ID    string `json:"id" doc:"Id."`
	Token string `json:"token" secret:"true" doc:"Token."`
	Dark  string `json:"-"`
}

// The outer property of a name hides the embedded one, wherever it stands.
func TestEmbeddedPropertiesAreHidden(t *testing.T) {
	type outer struct {
		Token string `json:"token" secret:"once" doc:"Token, shown once."`
		inner
	}
	got := string(TypeOf[outer]().appendJSON(nil, newOf(TypeOf[outer]())))
	if want := `{"token":"","id":""}`; got != want {
		t.Errorf("JSON of the outer struct = %s, want %s", got, want)
	}
}

// Two nodes of one name are a mistake of whoever registered them.
func TestCatalogueRefusesDoubles(t *testing.T) {
	n := Define("a.b", "Does.", nothing[None])
	if _, err := catalogue([]*Node{n, n}); err == nil {
		t.Error("catalogue took a.b twice")
	}
}
