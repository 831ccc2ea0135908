package flowtest

import (
	"context"
	"fmt"

	"gopkg.in/yaml.v3"

	"sluice/nodes/audit"
)

var auditKeys = []string{"kind", "actor", "subject", "sessionId", "ip", "userAgent", "requestId", "flow", "outcome", "details"}

// audited reads which audit events there must be.
func (r *reader) audited(n *yaml.Node, w *want) {
	w.audited = n
	for _, item := range r.items(n, "audited", false) {
		kind := item
		if item.Kind != yaml.ScalarNode {
			kind = nil
			for _, e := range r.mapping(item, "an event", auditKeys...) {
				if e.key.Value == "kind" {
					kind = e.value
				}
			}
			r.checkMatchers(item)
		}
		if kind != nil && kind.Kind == yaml.ScalarNode && !audit.Kind(kind.Value).Known() {
			var known []string
			for _, k := range audit.Kinds() {
				known = append(known, string(k))
			}
			r.problem(kind, hint(kind.Value, known, ""), "no audit event is of kind %q", kind.Value)
		}
	}
}

// checkAudited compares the audit events with those that are wanted.
func (s *Suite) checkAudited(ctx context.Context, w *want, m *match) error {
	if w.audited == nil {
		return nil
	}
	events, err := s.stage.audit.List(ctx, audit.Query{Limit: 1000})
	if err != nil {
		return fmt.Errorf("listing audit events: %w", err)
	}
	shown := make([]any, len(events))
	for i, e := range events {
		if i < len(w.audited.Content) && w.audited.Content[i].Kind != yaml.ScalarNode {
			if shown[i], err = plain(e); err != nil {
				return err
			}
			continue
		}
		shown[i] = string(e.Kind)
	}
	if len(events) == 0 && len(w.audited.Content) == 0 {
		return nil
	}
	m.value(w.audited, shown, "audited")
	return nil
}
