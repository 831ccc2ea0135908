package code

import "context"

// The functions behind the nodes.
type (
	SendIn    = sendIn
	CreateIn  = createIn
	CreateOut = createOut
	RedeemIn  = redeemIn
	RedeemOut = redeemOut
)

func Send(ctx context.Context, m Means, in SendIn) error {
	_, err := m.send(ctx, in)
	return err
}

func Create(ctx context.Context, m Means, in CreateIn) (CreateOut, error) { return m.create(ctx, in) }
func Redeem(ctx context.Context, m Means, in RedeemIn) (RedeemOut, error) { return m.redeem(ctx, in) }

// ReadToken reads a token.
func ReadToken(token, purpose string) (Slot, Hash, bool) { return readToken(token, purpose) }

// NewToken makes a token.
func NewToken(slot Slot, purpose string) (string, Hash) { return newToken(slot, purpose) }

// NewDigits makes digits.
func NewDigits(n int) string { return newDigits(n) }
