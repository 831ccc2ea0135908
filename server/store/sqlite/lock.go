package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrOwned says that another process has the directory.
var ErrOwned = errors.New("another process is serving")

// acquire takes a directory for this process. The lock is not one of SQLite's,
// as those fall when anything in the process closes the file; this one falls
// with what acquire returns, at the latest with the process.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock file: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w from %s: %w", ErrOwned, dir, err), f.Close())
	}
	return f, nil
}
