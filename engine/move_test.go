package engine

import (
	oldrand "math/rand"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/quick"
	"time"
)

type moved struct {
	B  bool
	S  string
	I  int
	L  int64
	F  float64
	D  time.Duration
	T  time.Time
	By []byte
	Ss []string
	M  map[string]string
	A  any
	P  *int
	N  struct {
		X string
		Y struct{ Z []int64 }
	}
	Odd struct {
		U8 uint8
		Ar [3]string
	}
}

// Moves through memory copy exactly what reflection copies, for any value.
func TestMovesAgreeWithReflection(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	source := oldrand.New(oldrand.NewSource(1)) // testing/quick takes the older package
	rt := reflect.TypeFor[moved]()
	for range 300 {
		var from moved
		for i := range rt.NumField() {
			f := reflect.ValueOf(&from).Elem().Field(i)
			switch {
			case f.Type() == timeType:
				from.T = time.Unix(random.Int64N(1e9), 0)
			case f.Kind() == reflect.Interface:
				from.A = []any{nil, "x", 5, 2.5, []string{"y"}}[random.IntN(5)]
			default:
				if v, ok := quick.Value(f.Type(), source); ok {
					f.Set(v)
				}
			}
		}
		src := reflect.New(rt)
		src.Elem().Set(reflect.ValueOf(from))
		dst := reflect.New(rt)
		f := frame{src.UnsafePointer()}
		for _, m := range copyMoves(rt, ref{}, 0, 0) {
			m.run(f, dst.UnsafePointer())
		}
		if got := dst.Elem().Interface(); !reflect.DeepEqual(got, from) {
			t.Fatalf("moves copied %+v as %+v", from, got)
		}
	}
}
