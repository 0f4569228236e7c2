//go:build !race

package extract

// racing says that the race detector runs, which takes memory of its own.
const racing = false
