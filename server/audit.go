package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"sluice/nodes/audit"
	"sluice/server/store"
)

const (
	flushAudit = time.Minute // between two events about refused calls
	pruneAudit = time.Hour
	// pruneSlack is how much older than they must be the oldest events are before
	// they are deleted, so that deleting them makes one event a day.
	pruneSlack = 24 * time.Hour
)

// SealingKeys makes the keys of the setting audit-keys.
func (c *Config) SealingKeys() (keys audit.Keys, err error) {
	for _, secret := range c.AuditKeys {
		k, err := audit.NewKey(secret[:])
		if err != nil {
			return nil, fmt.Errorf("reading audit-keys: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// recorder makes what records events in a store.
func (c *Config) recorder(s *store.Store, log *slog.Logger) *audit.Recorder {
	return audit.NewRecorder(s.Audit, audit.Options{Log: log, Lenient: c.AuditFailure == "log"})
}

// keepAudit looks after the audit log of a server that serves so many flows,
// until ctx ends.
func (s *Server) keepAudit(ctx context.Context, served int) {
	flows := strconv.Itoa(served)
	if err := s.store.Recorder.Note(ctx, audit.Event{Kind: audit.Started, Details: map[string]string{"flows": flows}}); err != nil {
		s.log.Error("noting the start", "error", err)
	}
	s.prune(ctx)
	flush, prune := time.NewTicker(flushAudit), time.NewTicker(pruneAudit)
	defer flush.Stop()
	defer prune.Stop()
	for {
		select {
		case <-flush.C:
			s.flushAudit(ctx)
		case <-prune.C:
			s.prune(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) flushAudit(ctx context.Context) {
	if err := s.store.Recorder.Flush(ctx); err != nil {
		s.log.Error("noting refused calls", "error", err)
	}
}

// prune deletes the events that are old enough.
func (s *Server) prune(ctx context.Context) {
	before := time.Now().Add(-s.conf.AuditKeep)
	old, err := s.store.Audit.List(ctx, audit.Query{Until: before.Add(-pruneSlack), Limit: 1})
	if err == nil && len(old) > 0 {
		_, err = s.store.Audit.Prune(ctx, before)
	}
	if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
		s.log.Error("deleting old audit events", "error", err)
	}
}
