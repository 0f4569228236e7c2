//go:build race

package extract

const racing = true
