package blob

import (
	"bytes"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocloud "gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// remote is a bucket of S3. It has no rename: what has its key from the start is
// written there, and is seen by nobody before it is complete; the rest is copied
// to its key inside the store.
type remote struct {
	bucket *gocloud.Bucket
	client *s3.Client
	name   string
}

// piece is what a draft holds in memory, and the least that S3 takes as a part:
// 10,000 of them are the most that it takes, which leaves room for MaxSize.
const piece = 5 << 20

func (r *remote) segment() int64 { return piece }

func (r *remote) present(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, err := r.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &r.name})
	return err
}

func (r *remote) begin(ctx context.Context, key string) (draft, error) {
	if key == "" {
		key = incoming()
	}
	return &pieces{in: r, ctx: ctx, key: key}, nil
}

// pieces is a draft in a bucket: one object if it is small, else an upload in parts.
type pieces struct {
	in     *remote
	ctx    context.Context // of the writing, which has none in io.Writer
	key    string
	buf    bytes.Buffer
	upload *string
	parts  []types.CompletedPart
	done   bool
}

func (p *pieces) Write(data []byte) (n int, err error) {
	for len(data) > 0 {
		if p.buf.Len() == piece {
			if err := p.send(); err != nil {
				return n, err
			}
		}
		k := min(len(data), piece-p.buf.Len())
		p.buf.Write(data[:k])
		data, n = data[k:], n+k
	}
	return n, nil
}

// send stores what is in memory as the next part.
func (p *pieces) send() error {
	ctx, cancel := context.WithTimeout(p.ctx, silence)
	defer cancel()
	if p.upload == nil {
		begun, err := p.in.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &p.in.name, Key: &p.key, ContentType: aws.String(contentType), ChecksumAlgorithm: p.in.checksum(),
		})
		if err != nil {
			return err
		}
		p.upload = begun.UploadId
	}
	number := aws.Int32(int32(len(p.parts) + 1))
	sent, err := p.in.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &p.in.name, Key: &p.key, UploadId: p.upload, PartNumber: number, Body: bytes.NewReader(p.buf.Bytes()),
		ChecksumAlgorithm: p.in.checksum(),
	})
	if err != nil {
		return err
	}
	p.buf.Reset()
	p.parts = append(p.parts, types.CompletedPart{
		PartNumber: number, ETag: sent.ETag,
		ChecksumCRC32: sent.ChecksumCRC32,
	})
	return nil
}

// checksum is how the store checks what it received, said alike of an upload, its
// parts and its end; none if the address says request_checksum_calculation=when_required,
// for stores that know none.
func (r *remote) checksum() types.ChecksumAlgorithm {
	if r.client.Options().RequestChecksumCalculation == aws.RequestChecksumCalculationWhenRequired {
		return ""
	}
	return types.ChecksumAlgorithmCrc32
}

// contentType is that of every object: nobody reads it, and none is active.
const contentType = "application/octet-stream"

func (p *pieces) settle(ctx context.Context, key string) error {
	p.ctx = ctx
	if err := p.finish(ctx); err != nil {
		return err
	}
	p.done = true
	if p.key == key {
		return nil
	}
	err := p.in.bucket.Copy(ctx, key, p.key, nil)
	// If this fails, Sweep does it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_, _ = p.in.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &p.in.name, Key: &p.key})
	return err
}

// finish makes the object of what was written.
func (p *pieces) finish(ctx context.Context) error {
	if p.upload == nil {
		ctx, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		_, err := p.in.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &p.in.name, Key: &p.key, ContentType: aws.String(contentType), Body: bytes.NewReader(p.buf.Bytes()),
			ChecksumAlgorithm: p.in.checksum(),
		})
		return err
	}
	if p.buf.Len() > 0 {
		if err := p.send(); err != nil {
			return err
		}
	}
	_, err := p.in.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &p.in.name, Key: &p.key, UploadId: p.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: p.parts},
	})
	return err
}

func (p *pieces) discard() {
	if p.done || p.upload == nil {
		return
	}
	p.done = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), time.Minute)
	defer cancel()
	_ = p.in.abort(ctx, p.key, p.upload) // or Sweep does it
}

func (r *remote) abort(ctx context.Context, key string, upload *string) error {
	_, err := r.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &r.name, Key: &key, UploadId: upload})
	if code(err) == "NoSuchUpload" {
		return nil
	}
	return err
}

func (r *remote) remove(ctx context.Context, key string, before time.Time) error {
	a, err := r.bucket.Attributes(ctx, key)
	if err == nil && !a.ModTime.Before(before) {
		return errRecent
	}
	if err == nil {
		err = r.bucket.Delete(ctx, key)
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return err
}

func (r *remote) prune(string) {}

// sweep aborts what was uploaded in parts and never completed, which no list of
// objects shows and which takes room nevertheless.
func (r *remote) sweep(ctx context.Context, before time.Time) (int, error) {
	swept := 0
	pages := s3.NewListMultipartUploadsPaginator(r.client, &s3.ListMultipartUploadsInput{Bucket: &r.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return swept, err
		}
		for _, u := range page.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			if err := r.abort(ctx, aws.ToString(u.Key), u.UploadId); err != nil {
				return swept, err
			}
			swept++
		}
	}
	return swept, nil
}
