package mail

import (
	"context"
	"crypto/tls"

	"sluice/engine"
)

// SendIn is the input of mail.send.
type SendIn = sendIn

// SendNode is the function behind mail.send.
func SendNode(ctx context.Context, p Post, in SendIn) (engine.None, error) { return p.send(ctx, in) }

// Bounds of an outbox.
const (
	MaxJobs    = maxJobs
	MaxWorkers = maxWorkers
)

// NewSMTPOver is NewSMTP with settings of TLS.
func NewSMTPOver(address, from string, secure *tls.Config) (*SMTP, error) {
	return newSMTP(address, from, secure)
}
