package mongo

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/nodes/limit"
)

func TestTwoProcessesShareALimit(t *testing.T) {
	name := newName()
	here, there := openTest(t, name, nil).Stores().Limits, openTest(t, name, nil).Stores().Limits
	r := limit.Rate{Count: 10, Each: time.Hour}
	for _, k := range []limit.Key{limit.KeyOf("a"), limit.KeyOf("b"), limit.KeyOf("c")} {
		var passed atomic.Int64
		now := time.Now()
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				got, err := []limit.Store{here, there}[i%2].Take(t.Context(), k, r, now)
				if err != nil {
					t.Errorf("Take() = %v, want nil", err)
				} else if got.Wait == 0 {
					passed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := passed.Load(); n != 10 {
			t.Errorf("of 200 at once on two clients %d passed, want 10", n)
		}
	}
}
