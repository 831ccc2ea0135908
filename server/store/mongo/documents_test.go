package mongo

import (
	"context"
	"errors"
	"io"
	"testing"

	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/engine"
)

func TestWhatPassesIsUnavailableAndAFaultOfOursIsNot(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"deadline":            {context.DeadlineExceeded, true},
		"hung up":             {io.ErrUnexpectedEOF, true},
		"closed":              {driver.ErrClientDisconnected, true},
		"deposed":             {driver.CommandError{Code: 10107}, true},
		"shutting down":       {driver.CommandError{Code: 91}, true},
		"can be tried again":  {driver.CommandError{Code: 1, Labels: []string{"RetryableWriteError"}}, true},
		"no majority":         {driver.WriteException{WriteConcernError: &driver.WriteConcernError{Code: 64}}, true},
		"command is wrong":    {driver.CommandError{Code: 9}, false},
		"may not":             {driver.CommandError{Code: 13}, false},
		"document is refused": {driver.WriteException{WriteErrors: driver.WriteErrors{{Code: 121}}}, false},
	} {
		err := failed("reading users", tt.err)
		if got := errors.Is(err, engine.ErrUnavailable); got != tt.want {
			t.Errorf("failed(%s) = %v, want unavailable: %t", name, err, tt.want)
		}
	}
}
