//go:build !linux

package private

func memory() string { return "" }
