// Package control brings commands of package admin to the process that has the
// embedded store, over a Unix socket in the data folder. The mode of the socket
// is its only lock: who may connect may read the database file as well.
//
// It speaks HTTP/1.1 with one request a connection: POST /v1/NAME with the input
// in JSON as the body, and the output as the body of a 200. A refusal is a 422
// with an [admin.Refusal], any other error a 500 with its text. An output that
// breaks off ends with a trailer that says why.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// File is the name of the socket in the data folder.
const File = "control.sock"

// Bounds of what comes in and of what waits.
const (
	maxInput  = 1 << 20 // bytes of an input
	maxHeader = 8 << 10
	maxCalls  = 16 // at once
)

// maxPath is how long the path of a socket can be; macOS takes the least.
const maxPath = 103

// ErrNobody says that nobody listens in a data folder.
var ErrNobody = errors.New("nobody listens at the control socket")

// Listen makes the socket of a data folder, in place of one that a process left
// behind. The caller has the folder's lock, so nobody else listens there.
func Listen(dir string) (net.Listener, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("control sockets are not made on Windows: stop the server to run commands on its store")
	}
	// Bound in a folder that only the owner can enter and then moved, so that
	// there is no moment at which others could connect.
	closed, err := os.MkdirTemp(dir, ".control-")
	if err != nil {
		return nil, fmt.Errorf("making control socket: %w", err)
	}
	defer os.RemoveAll(closed)
	var ln *net.UnixListener
	err = nearby(closed, func(short string) (err error) {
		ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(short, "s"), Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making control socket: %w", err)
	}
	ln.SetUnlinkOnClose(false) // by a name that it does not have any more
	path := filepath.Join(dir, File)
	err = os.Chmod(filepath.Join(closed, "s"), 0o600)
	if err == nil {
		err = os.Rename(filepath.Join(closed, "s"), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making control socket: %w", err), ln.Close())
	}
	return &listener{ln, path}, nil
}

// A listener takes its socket away when it is closed.
type listener struct {
	*net.UnixListener
	path string
}

func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return errors.Join(err, os.Remove(l.path))
}

// nearby calls do with a path of a folder that is short enough for a socket in it.
func nearby(dir string, do func(short string) error) error {
	if len(dir)+len(File)+1 <= maxPath {
		return do(dir)
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the path of the data folder is too long for a socket in it: %s", dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

// dial connects to the socket of a data folder.
func dial(ctx context.Context, dir string) (c net.Conn, err error) {
	if runtime.GOOS == "windows" {
		return nil, ErrNobody
	}
	err = nearby(dir, func(short string) (err error) {
		var d net.Dialer
		c, err = d.DialContext(ctx, "unix", filepath.Join(short, File))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	return c, nil
}
