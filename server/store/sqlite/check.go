package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/server/store/health"
)

// maxLogBytes is how long the write-ahead log can be without a word about it.
const maxLogBytes = 1 << 30

// Check looks at the database while it serves. It reads the whole file, which
// takes a second for each few hundred MB.
func (db *DB) Check(ctx context.Context) []health.Finding {
	if err := db.writer.broken.Load(); err != nil {
		return []health.Finding{health.Bad("store", "Look at the disk, then restart: the start checks the whole file.", "Nothing is written any more: %v", *err)}
	}
	found := []health.Finding{db.checkReads(ctx), db.checkWrites(ctx), db.checkContent(ctx), db.checkDocuments(ctx), db.checkLog()}
	return append(found, db.checkTimes(ctx))
}

func (db *DB) checkReads(ctx context.Context) health.Finding {
	known := 0
	took, err := health.Median(func() error {
		return db.read(ctx, func(c *conn) (err error) {
			if known, err = version(c); err == nil {
				_, err = c.one("SELECT id FROM users LIMIT 1")
			}
			return err
		})
	})
	if err != nil {
		return health.Bad("store", "Look at the disk and at the log of the server.", "Reading the database: %v", err)
	}
	return health.Speed("store", fmt.Sprintf("SQLite has schema %d of %d; a read", known, len(migrations())), took, health.SlowRead,
		"Something else keeps the disk busy, or the data folder is on a network.")
}

// checkWrites writes what is there already: the file does not change, but its
// log does, with an fsync.
func (db *DB) checkWrites(ctx context.Context) health.Finding {
	took, err := health.Median(func() error {
		return db.writer.do(ctx, &op{run: func(c *conn) error {
			known, err := version(c)
			if err == nil {
				_, err = c.exec(fmt.Sprintf("PRAGMA user_version = %d", known))
			}
			return err
		}})
	})
	if err != nil {
		return health.Bad("fsync", "Make space on the disk, or look at what it says of errors.", "Writing to the database: %v", err)
	}
	return health.Speed("fsync", "A write with its fsync", took, health.SlowWrite,
		"Every sign-in waits for one: put the data folder on a local SSD.")
}

func (db *DB) checkContent(ctx context.Context) health.Finding {
	c, done, err := db.snapshot(ctx)
	if err != nil {
		return health.Bad("integrity", "Look at the log of the server.", "Opening the database: %v", err)
	}
	defer done()
	first, err := c.one("PRAGMA quick_check(1)")
	if err == nil && first == "ok" {
		var orphan driver.Value
		if orphan, err = c.one("PRAGMA foreign_key_check"); orphan != nil {
			first = "a row without its owner in " + fmt.Sprint(orphan)
		}
	}
	if err != nil {
		first = err.Error()
	}
	if first != "ok" {
		return health.Bad("integrity", "Restore the last backup; keep this folder until that is done.", "The database is damaged: %v", first)
	}
	return health.Good("integrity", "The database is whole")
}

func (db *DB) checkLog() health.Finding {
	info, err := os.Stat(db.path + "-wal")
	var size int64
	if err == nil {
		size = info.Size()
	}
	if size > maxLogBytes {
		return health.Doubtful("log", "It shrinks at the next stop. A backup that hangs keeps it: look for one.", "The write-ahead log has %d MiB", size>>20)
	}
	return health.Good("log", "The write-ahead log has %d MiB", size>>20)
}

// checkTimes compares the clock with the latest moment that the data knows.
func (db *DB) checkTimes(ctx context.Context) health.Finding {
	var latest time.Time
	err := db.read(ctx, func(c *conn) error {
		for _, q := range []string{"SELECT max(created) FROM users", "SELECT max(seen) FROM sessions"} {
			v, err := c.one(q)
			if err != nil {
				return err
			}
			if ms, ok := v.(int64); ok && time.UnixMilli(ms).After(latest) {
				latest = time.UnixMilli(ms)
			}
		}
		return nil
	})
	if err != nil {
		return health.Bad("clock", "Look at the log of the server.", "Reading times: %v", err)
	}
	return health.Clock("clock", "The latest time in the data, where it lies ahead,", max(0, time.Until(latest)))
}

// FileModes tells of files in a data directory that others than the owner can read.
func FileModes(dir string) health.Finding {
	for _, name := range []string{dataFile, dataFile + "-wal", dataFile + "-shm", lockFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if info.Mode()&(fs.ModePerm&0o077) != 0 {
			return health.Doubtful("files", "chmod 600 "+name+": it holds hashes of passwords and tokens.", "Others can read %s, its mode is %o", name, info.Mode().Perm())
		}
	}
	return health.Good("files", "Only the owner can read the files of the database")
}
