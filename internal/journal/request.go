package journal

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

type (
	requestKey struct{}
	clockKey   struct{}
	onceKey    struct{}
	peekKey    struct{}
)

// WithRequest puts the id of the request into the context; entries carry it.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// Request is the id of the request that ctx is of, or "".
func Request(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// InRequest reports whether ctx is that of a request, and not of a job.
func InRequest(ctx context.Context) bool { return ctx.Value(requestKey{}) != nil }

// WithPeek says that nobody reads the answer to the request: it was asked for the
// headers alone, or ahead of a reader who may not come.
func WithPeek(ctx context.Context) context.Context { return context.WithValue(ctx, peekKey{}, true) }

// Peeks reports whether WithPeek said so.
func Peeks(ctx context.Context) bool { return ctx.Value(peekKey{}) != nil }

// WithNow makes changes under ctx happen at that instant: for tests, and for
// loading what happened in the past.
func WithNow(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, clockKey{}, now)
}

// Now is the present instant, to the microsecond that Postgres keeps; what
// WithNow says, where it was said.
func Now(ctx context.Context) time.Time {
	if t, ok := ctx.Value(clockKey{}).(time.Time); ok {
		return t
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

// Once names the row of a request that must be carried out only once.
type Once struct {
	Person uuid.UUID
	Key    string
	Claim  uuid.UUID // of this sending of it
}

// WithOnce makes the change under ctx mark that row as committed in its own
// transaction: a repetition then knows that the work was done, even if the
// answer was lost.
func WithOnce(ctx context.Context, o Once) context.Context {
	return context.WithValue(ctx, onceKey{}, o)
}

func markCommitted(ctx context.Context, q postgres.Q) error {
	o, ok := ctx.Value(onceKey{}).(Once)
	if !ok {
		return nil
	}
	// Its row is locked until the commit: it cannot be taken over any more.
	ours, err := postgres.All[bool](ctx, q, `
		UPDATE idempotency SET state = CASE WHEN claim = $3 THEN 'committed' ELSE state END
		WHERE person_id = $1 AND key = $2 RETURNING claim IS NOT DISTINCT FROM $3`, o.Person, o.Key, o.Claim)
	if err == nil && slices.Contains(ours, false) {
		return problem.New(problem.Conflict, "This was sent again meanwhile, and is carried out as it was sent then.")
	}
	return err
}
