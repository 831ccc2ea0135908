package sqlite

import (
	"fmt"
	"strings"
)

// migrations lead from one version of the schema to the next, the first from an
// empty file. A step that was released never changes.
func migrations() []string {
	return []string{`
CREATE TABLE users (
	id         TEXT PRIMARY KEY NOT NULL,
	email      TEXT NOT NULL,
	email_key  TEXT NOT NULL,
	verified   INTEGER NOT NULL,
	name       TEXT NOT NULL,
	disabled   INTEGER NOT NULL,
	created    INTEGER NOT NULL, -- times are milliseconds since 1970, UTC
	updated    INTEGER NOT NULL,
	epoch      INTEGER NOT NULL, -- that of every session of the user
	password   TEXT NOT NULL     -- hash, or '' for none
) STRICT;
CREATE UNIQUE INDEX users_email_key ON users (email_key);

CREATE TABLE sessions (
	hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
	id         TEXT NOT NULL CHECK (id <> ''),
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	epoch      INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	seen       INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	ends       INTEGER NOT NULL,
	idle       INTEGER NOT NULL, -- milliseconds
	group_keys TEXT NOT NULL,    -- JSON list
	ip         TEXT NOT NULL,
	agent      TEXT NOT NULL     -- JSON object
) STRICT;
CREATE UNIQUE INDEX sessions_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_expires ON sessions (expires)`, `
CREATE TABLE repeats (
	call       BLOB PRIMARY KEY NOT NULL CHECK (length(call) = 32),
	request    BLOB NOT NULL CHECK (length(request) = 32),
	token      BLOB NOT NULL CHECK (length(token) = 16),
	expires    INTEGER NOT NULL, -- the claim, or the answer
	status     INTEGER,          -- of the answer; NULL while the call runs
	headers    TEXT,             -- JSON list; NULL for none
	body       BLOB              -- NULL for none
) STRICT;
CREATE INDEX repeats_expires ON repeats (expires)`, `
CREATE TABLE limits (
	key        BLOB PRIMARY KEY NOT NULL CHECK (length(key) = 16),
	until      INTEGER NOT NULL -- nanoseconds since 1970
) STRICT;
CREATE INDEX limits_until ON limits (until)`, `
ALTER TABLE users ADD COLUMN group_keys TEXT NOT NULL DEFAULT '[]' /* JSON list */;
ALTER TABLE repeats ADD COLUMN type TEXT NOT NULL DEFAULT '' /* media type of body; '' is JSON */`, `
CREATE TABLE collections (
	name        TEXT PRIMARY KEY NOT NULL,
	declaration TEXT NOT NULL -- record of it, with what it had before
) STRICT`, `
CREATE TABLE keys (
	hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
	id         TEXT NOT NULL CHECK (id <> ''),
	name       TEXT NOT NULL,
	scope      TEXT NOT NULL,
	endpoints  TEXT NOT NULL,    -- JSON list
	user_id    TEXT REFERENCES users (id) ON DELETE CASCADE, -- NULL for nobody's
	suspended  INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	expires    INTEGER,          -- NULL for never
	used       INTEGER           -- NULL for never
) STRICT;
CREATE UNIQUE INDEX keys_id ON keys (id);
CREATE INDEX keys_user ON keys (user_id, id)`, `
ALTER TABLE sessions ADD COLUMN authenticated INTEGER /* NULL for never */;
ALTER TABLE sessions ADD COLUMN actor TEXT /* JSON object; NULL where the user acts */;
UPDATE sessions SET authenticated = created`, `
CREATE TABLE codes (
	slot       BLOB PRIMARY KEY NOT NULL CHECK (length(slot) = 16),
	hash       BLOB NOT NULL CHECK (length(hash) = 32),
	digits     INTEGER NOT NULL, -- 1: a wrong try counts
	tries      INTEGER NOT NULL, -- that are left, or uses
	created    INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	user_id    TEXT NOT NULL,    -- '' for nobody
	state      BLOB NOT NULL CHECK (length(state) = 32),
	email      TEXT NOT NULL
) STRICT;
CREATE INDEX codes_expires ON codes (expires);

CREATE TABLE factors (
	user_id    TEXT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	secret     BLOB NOT NULL,    -- sealed
	active     INTEGER NOT NULL,
	step       INTEGER NOT NULL, -- the last one that was used
	recovery   BLOB NOT NULL,    -- hashes of 32 bytes, one behind the other
	paid       INTEGER NOT NULL, -- tries that came to nothing
	since      INTEGER NOT NULL  -- when the first of them was
) STRICT`, `
CREATE TABLE attempts (
	hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
	data       BLOB NOT NULL,
	expires    INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_expires ON attempts (expires);

CREATE TABLE identities (
	id         TEXT PRIMARY KEY NOT NULL,
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	issuer     TEXT NOT NULL,
	subject    TEXT NOT NULL,
	provider   TEXT NOT NULL,
	email      TEXT NOT NULL,
	created    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX identities_subject ON identities (issuer, subject);
CREATE INDEX identities_user ON identities (user_id, id);

CREATE TABLE passkeys (
	id         TEXT PRIMARY KEY NOT NULL,
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	credential BLOB NOT NULL,
	name       TEXT NOT NULL,
	backed_up  INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	used       INTEGER,          -- NULL for never
	count      INTEGER NOT NULL, -- of signatures
	state      BLOB NOT NULL     -- JSON
) STRICT;
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential);
CREATE INDEX passkeys_user ON passkeys (user_id, id)`, `
CREATE TABLE audit (
	chain      TEXT NOT NULL,    -- main; others came by an import
	seq        INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	kind       TEXT NOT NULL,
	actor      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	rest       TEXT NOT NULL,    -- JSON object
	seal       BLOB NOT NULL,    -- HMAC of the row and of the seal before
	PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor) WHERE actor <> '';
CREATE INDEX audit_subject ON audit (subject) WHERE subject <> '';
CREATE TABLE audit_keys (
	id         TEXT PRIMARY KEY NOT NULL,
	sealing    BLOB NOT NULL CHECK (length(sealing) = 32) -- that part of a key which verifies
) STRICT`, `
ALTER TABLE keys ADD COLUMN roles TEXT NOT NULL DEFAULT '[]' /* JSON list */`, `
ALTER TABLE users ADD COLUMN phone TEXT NOT NULL DEFAULT '' /* E.164, or '' for none */;
ALTER TABLE users ADD COLUMN phone_verified INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX users_phone ON users (phone) WHERE phone <> '';
DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (email_key) WHERE email_key <> '' /* the later one speaks first where both are taken */`,
	}
}

// checkVersion refuses a file that a later release has written. It changes nothing.
func checkVersion(c *conn) error {
	found, err := version(c)
	if err != nil {
		return err
	}
	if known := len(migrations()); found > known {
		return fmt.Errorf("database has schema %d and this release knows up to %d: run a later release", found, known)
	}
	return nil
}

func version(c *conn) (int, error) {
	v, err := c.one("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	n, _ := v.(int64)
	return int(n), nil
}

// migrate brings the schema to the latest version, each step in a transaction.
func migrate(c *conn) error {
	from, err := version(c)
	if err != nil {
		return err
	}
	for i, step := range migrations() {
		if i < from {
			continue
		}
		if err := migrateOnce(c, step, i+1); err != nil {
			return fmt.Errorf("migrating to schema %d: %w", i+1, err)
		}
	}
	return nil
}

func migrateOnce(c *conn, step string, to int) error {
	statements := []string{"BEGIN IMMEDIATE"}
	statements = append(statements, strings.Split(step, ";\n")...)
	statements = append(statements, fmt.Sprintf("PRAGMA user_version = %d", to), "COMMIT")
	for _, s := range statements {
		if _, err := c.exec(strings.TrimSpace(s)); err != nil {
			return err // and the connection with it, which rolls back
		}
	}
	return nil
}
