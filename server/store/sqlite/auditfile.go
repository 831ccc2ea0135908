package sqlite

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"sluice/nodes/audit"
)

const (
	keyFile    = "audit.key"  // seals audit events where no other key is given
	anchorFile = "audit.head" // the head of the chain as it was at most a minute ago
)

// auditKeys returns the keys that are given, and behind them the one in the
// directory, which is made where there is no other.
func auditKeys(dir string, given audit.Keys) (audit.Keys, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(given) > 0:
		return given, nil
	case errors.Is(err, fs.ErrNotExist):
		text = []byte(rand.Text() + rand.Text() + "\n")
		err = writeWhole(path, text)
	}
	if err != nil {
		return nil, fmt.Errorf("reading audit key: %w", err)
	}
	key, err := audit.NewKey(bytes.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return append(given[:len(given):len(given)], key), nil
}

// An anchor is a file with a head of the chain.
type anchor struct {
	path string
	mu   sync.Mutex
	last audit.Head // that was written; guarded by mu
}

// read returns the head in the file, or one with nothing but the chain's name.
func (a *anchor) read() (audit.Head, error) {
	none := audit.Head{Chain: chainName}
	text, err := os.ReadFile(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("reading head of the audit log: %w", err)
	}
	var h audit.Head
	if err := json.Unmarshal(text, &h); err != nil {
		return none, fmt.Errorf("reading %s: %w", a.path, err)
	}
	return h, nil
}

// write puts a head that is durable into the file.
func (a *anchor) write(h *audit.Head) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h == nil || *h == a.last {
		return nil
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("writing head of the audit log: %w", err)
	}
	if err := writeWhole(a.path, append(text, '\n')); err != nil {
		return fmt.Errorf("writing head of the audit log: %w", err)
	}
	a.last = *h
	return nil
}

// writeWhole writes a file that only the owner may read, all of it or nothing.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
