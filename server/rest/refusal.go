package rest

import "sluice/engine"

// Refusals are the failures that any endpoint can be answered with, whatever its
// flow says: the request is refused before a flow sees it, or the server stops.
func Refusals() []*engine.Error {
	return []*engine.Error{
		errMalformed, errHeaderTwice, errVersion, errTooSlow, errHeadTooLong, errExpectation, errBadPath,
		errEncoding, errMediaType, errBodyTooLarge, errAmbiguous, errKeyInQuery, errCrossSite, errBadQuery,
		errClosing, errTooManyConns, errHostConns,
	}
}
