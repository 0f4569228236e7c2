// Package calendar has the days that the convention counts by. Terms, and the
// rosters of a day, go by the days of one zone, whoever writes or reads them and
// wherever: two readers never see two last days. The zone travels in the context.
package calendar

import (
	"context"
	"time"
)

type contextKey struct{}

// With makes zone the convention's for what happens under ctx.
func With(ctx context.Context, zone *time.Location) context.Context {
	return context.WithValue(ctx, contextKey{}, zone)
}

// Zone is the convention's zone: what With put into ctx, UTC where nobody did.
func Zone(ctx context.Context) *time.Location {
	if zone, ok := ctx.Value(contextKey{}).(*time.Location); ok && zone != nil {
		return zone
	}
	return time.UTC
}

// Day is the day that t falls on, as the instant at which it begins.
func Day(ctx context.Context, t time.Time) time.Time { return Start(t, Zone(ctx)) }

// Last is the last day of what ends at end: nothing holds at end itself, so that a
// term of whole days ends as the day after its last one begins.
func Last(ctx context.Context, end time.Time) time.Time { return Day(ctx, end.Add(-time.Microsecond)) }

// Start is when the day that t falls on in zone begins.
func Start(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}
