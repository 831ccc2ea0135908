//go:build !linux && !darwin

package server

import "errors"

// freeSpace is not known on this system.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

// openFiles is not known on this system.
func openFiles() (uint64, error) { return 0, errors.ErrUnsupported }
