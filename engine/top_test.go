package engine_test

import (
	"reflect"
	"testing"
	"testing/fstest"

	"sluice/engine"
)

func TestTopsAreThereWhereFlowsDoNotCompile(t *testing.T) {
	steps := "steps:\n  - node: user.fetchh\n  - respond: 204\n"
	flows, err := engine.Tops(fstest.MapFS{
		"a.yaml":     {Data: []byte("about: x\nendpoint: GET /a\nsession: none\nlimit: {rate: 1/s, per: [ip, $body.email]}\ninput: {body: {at: Place}}\n" + steps)},
		"b.yaml":     {Data: []byte("about: x\nendpoint: GET /b\nsesion: none\n" + steps)}, // a mistake of its own
		"c.yaml":     {Data: []byte("about: x\nnode: a.b\nsteps:\n  - return: 1\n")},
		"types.yaml": {Data: []byte("Place: {city: string}\n")},
	}, engine.Env{})
	if err != nil || len(flows) != 1 {
		t.Fatalf("Tops() = %v, %v, want the flow of a.yaml", flows, err)
	}
	f := flows[0]
	if f.Method+f.Path != "GET/a" || f.Session != engine.SessionNone || f.Program != nil {
		t.Errorf("Tops() = %+v, want GET /a without a program", f)
	}
	if want := []string{"ip", "$body.email"}; !reflect.DeepEqual(f.Limit.Per, want) {
		t.Errorf("Limit.Per = %q, want %q", f.Limit.Per, want)
	}
	if got, want := f.Places["session"].String(), "a.yaml:3:10"; got != want {
		t.Errorf("Places[session] = %s, want %s", got, want)
	}
}
