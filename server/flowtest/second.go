package flowtest

import (
	"context"
	"fmt"
	"time"

	"sluice/nodes/factor"
)

// secondFactor gives a user a second factor and notes a code of it, and a
// recovery code where it is active.
func (st *stage) secondFactor(ctx context.Context, p person, props map[string]string) error {
	secret := []byte("twenty bytes of test")
	kept := append([]byte{0}, secret...) // not sealed
	id, step := props["id"], factor.Step(time.Now())
	if err := st.factors.Enroll(ctx, id, kept); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	props["totp"] = factor.Digits(secret, step)
	if p.totp != "active" {
		return nil
	}
	props["recovery"] = "aaaa-bbbb-cccc-dddd"
	if err := st.factors.Use(ctx, id, kept, step-2); err != nil {
		return fmt.Errorf("confirming: %w", err)
	}
	if err := st.factors.SetRecovery(ctx, id, []factor.Hash{factor.RecoveryHash(id, props["recovery"])}); err != nil {
		return fmt.Errorf("setting recovery codes: %w", err)
	}
	return nil
}
