package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"sluice/engine"
	"sluice/server/admin"
	"sluice/server/control"
	"sluice/server/store"
	"sluice/server/store/health"
)

// Bounds of what a machine should have.
const (
	leastSpace  = 100 << 20 // bytes; with less, writes are about to fail
	littleSpace = 1 << 30
	fewFiles    = 4096
)

// Doctor looks at everything that a server of the configuration needs, whether
// one runs or not. It changes nothing, but writes a file of no bytes and takes it
// away.
func Doctor(ctx context.Context, c Config, opts ...Option) []health.Finding {
	if err := c.complete(); err != nil {
		return []health.Finding{health.Bad("settings", "Correct the setting.", "Reading settings: %v", err)}
	}
	found := c.checkSettings(newOptions(opts))
	flows, keyed := checkFlows(c, opts)
	found = append(found, flows...)
	address, err := c.storeURL()
	if err != nil {
		return append(found, health.Bad("store", "Correct the setting store.", "Reading the setting: %v", err))
	}
	found = append(found, checkStore(ctx, c, address, keyed, opts)...)
	if dir := store.Dir(address); dir != "" {
		found = append(found, checkFolder(dir)...)
	}
	if n, err := openFiles(); err == nil {
		f := health.Good("open files", "%d files and connections can be open", n)
		if n < fewFiles {
			f = health.Doubtful("open files", "ulimit -n 65536, or LimitNOFILE= of systemd: each connection takes one.", "Only %d files and connections can be open", n)
		}
		found = append(found, f)
	}
	return found
}

// checkSettings tells of settings that are weaker than they should be.
func (c *Config) checkSettings(o options) (found []health.Finding) {
	switch {
	case c.MinPassword < 8:
		found = append(found, health.Bad("settings", "Set min-password to 15, or to 8 beside a second factor.", "Passwords may have %d characters, which guessing finds", c.MinPassword))
	case c.MinPassword < 15:
		found = append(found, health.Doubtful("settings", "Leave min-password out, unless all sign-ins ask for a second factor.", "Passwords may have %d characters", c.MinPassword))
	}
	if slices.Contains(c.Origins, "*") {
		found = append(found, health.Doubtful("settings", "Name the pages in origins.", "Every web page may call from a browser"))
	}
	host, _, err := net.SplitHostPort(c.Addr)
	ip, bad := netip.ParseAddr(host)
	if err == nil && host != "localhost" && (bad != nil || !ip.IsLoopback()) && len(c.TrustedProxies) == 0 {
		found = append(found, health.Doubtful("settings", "Put a proxy that ends TLS in front, and name it in trusted-proxies.", "Others can reach %s, where tokens go without TLS", c.Addr))
	}
	for _, name := range c.Vars {
		if o.getenv(name) == "" {
			found = append(found, health.Bad("settings", "Set "+name+", or leave it out of vars.", "vars names %s, but there is no such environment variable", name))
		}
	}
	if found == nil {
		found = append(found, health.Good("settings", "No setting is weaker than it should be"))
	}
	return found
}

// checkFlows also returns the file of a flow that only a key of the store reaches,
// or "".
func checkFlows(c Config, opts []Option) (found []health.Finding, keyed string) {
	flows, err := Check(c, opts...)
	var problems engine.Problems
	switch {
	case errors.As(err, &problems):
		return []health.Finding{health.Bad("flows", "sluice check tells all of them.", "No server starts on these flows; problems: %d", len(problems))}, ""
	case err != nil:
		return []health.Finding{health.Bad("flows", "Correct the setting flows or folders.", "Loading flows: %v", err)}, ""
	}
	if i := slices.IndexFunc(flows.Served, func(f *engine.Flow) bool { return f.APIKey == engine.KeyRequired }); i >= 0 && len(c.APIKeys) == 0 {
		keyed = flows.Served[i].File
	}
	return []health.Finding{health.Good("flows", "%d flows are served, of %d", len(flows.Served), len(flows.All))}, keyed
}

// checkStore looks at the store, through the server where one has it. keyed is
// the file of a flow that only a key of the store reaches, or "".
func checkStore(ctx context.Context, c Config, address, keyed string, opts []Option) []health.Finding {
	carrier, err := Admin(ctx, c, false, opts...)
	switch {
	case errors.Is(err, ErrNoStore):
		return []health.Finding{health.Doubtful("store", "The first sluice serve makes it, or sluice user add.", "There is no database in %s yet", store.Dir(address))}
	case errors.Is(err, control.ErrNobody):
		return []health.Finding{health.Bad("store", "Stop the process that has it: it may be of an older release, or hang.", "Another process has the database and does not answer commands")}
	case err != nil:
		return []health.Finding{health.Bad("store", "See README.md about the setting store.", "Opening the store: %v", err)}
	}
	defer carrier.Close()
	serves := health.Good("server", "No server has the store open, so it was opened for this")
	switch _, remote := carrier.(*control.Client); {
	case remote:
		serves = health.Good("server", "A server runs on it and answers commands")
	case store.Dir(address) == "":
		serves = health.Good("server", "Any number of servers can run on it")
	}
	found, err := admin.Do[[]health.Finding](ctx, carrier, "store.check", admin.Nothing{})
	if err != nil {
		return []health.Finding{health.Bad("store", "Look at the log of the server.", "Looking at the store: %v", err)}
	}
	if keyed != "" {
		if keys, err := admin.Do[admin.Keys](ctx, carrier, "key.list", admin.ListKeys{Limit: 1}); err == nil && len(keys.Keys) == 0 {
			found = append(found, health.Doubtful("keys", "sluice key add makes one.", "Nobody can call %s: it wants an API key, and there is none", keyed))
		}
	}
	return append([]health.Finding{serves}, found...)
}

// checkFolder looks at the data folder from outside.
func checkFolder(dir string) (found []health.Finding) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []health.Finding{health.Bad("folder", "Let this user have it.", "Looking at the data folder: %v", err)}
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		found = append(found, health.Doubtful("folder", "chmod 700 "+dir+".", "Others can write to the data folder, its mode is %o", mode))
	} else {
		found = append(found, health.Good("folder", "Only the owner can write to the data folder"))
	}
	if free, err := freeSpace(dir); err == nil {
		text := fmt.Sprintf("%d MiB are free where the data is", free>>20)
		switch {
		case free < leastSpace:
			found = append(found, health.Bad("disk", "Make space: without it, sign-ins fail.", "%s", text))
		case free < littleSpace:
			found = append(found, health.Doubtful("disk", "Make space, or give the folder a bigger disk.", "%s", text))
		default:
			found = append(found, health.Good("disk", "%s", text))
		}
	}
	return append(found, checkFileTime(dir)...)
}

// checkFileTime compares the clock with that of the file system, which on a
// network is another machine's.
func checkFileTime(dir string) []health.Finding {
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return []health.Finding{health.Bad("folder", "Let this user write there.", "Writing to the data folder: %v", err)}
	}
	info, err := f.Stat()
	err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	if err != nil {
		return []health.Finding{health.Bad("folder", "Look at the disk.", "Writing to the data folder: %v", err)}
	}
	return []health.Finding{health.Clock("file times", "The clock of the file system", time.Until(info.ModTime()))}
}
