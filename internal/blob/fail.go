package blob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"gocloud.dev/gcerrors"

	"commissionportal/internal/problem"
)

// failed turns an error of the store into a problem, with its cause for the log.
func (s *Store) failed(ctx context.Context, err error) error {
	switch {
	case err == nil || problem.As(err) != nil:
		return err
	case ctx.Err() != nil: // whoever asked has left
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case full(err):
		return fmt.Errorf("%w: %w", problem.New(problem.Full, "There is no room left to store files. The people who run the portal can see why."), err)
	}
	return fmt.Errorf("%w: %w", problem.New(problem.Unavailable, "The portal cannot reach its files. Try again in a moment."), err)
}

// unread is failed for an object that was asked for: it may not exist.
func (s *Store) unread(ctx context.Context, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		// A store that has gone has no objects either: a disk that is not
		// mounted must not look like files that never were.
		if err := s.place.present(ctx); err != nil {
			return s.failed(ctx, err)
		}
		return problem.New(problem.NotFound, "This file is not stored.")
	}
	return s.failed(ctx, err)
}

// unpoured is failed for an error of pour: that of a reader is passed on.
func (s *Store) unpoured(ctx context.Context, err error) error {
	if _, ok := errors.AsType[writeError](err); ok {
		return s.failed(ctx, err)
	}
	return err
}

// full reports whether there is no room: on the disk, in the quota of the
// account, or in the bucket, for which each maker of stores has its own words.
func full(err error) bool {
	for _, no := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, no) {
			return true
		}
	}
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.HTTPStatusCode() == 507 {
		return true
	}
	return slices.Contains([]string{"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}, code(err))
}

// beyondEnd reports whether a range was asked for that begins after the end,
// which S3 refuses.
func beyondEnd(err error) bool { return code(err) == "InvalidRange" }

// code is the error's name in S3, or "".
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}
