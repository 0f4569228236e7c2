package blob

import (
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bucket makes one on the server of S3_URL, for a test alone.
func bucket(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(os.Getenv("S3_URL"))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "test-" + strings.ToLower(rand.Text())
	s := openTest(t, u.String())
	if _, err := s.place.(*remote).client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &u.Host}); err != nil {
		t.Fatal(err)
	}
	return u.String()
}
