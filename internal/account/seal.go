package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// The first byte of a secret at rest says how it is kept.
const (
	sealedPlain = 0
	sealedGCM   = 1
)

// seal is how the secret of a person's app is kept: encrypted if there is a key.
// Unlike a password it cannot be kept as a hash, as codes are made of it.
func (s *Service) seal(person uuid.UUID, secret string) ([]byte, error) {
	if s.key == nil {
		return append([]byte{sealedPlain}, secret...), nil
	}
	aead, err := gcm(s.key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return aead.Seal(append([]byte{sealedGCM}, nonce...), nonce, []byte(secret), person[:]), nil
}

// open reads what seal made, of that person and no other.
func (s *Service) open(person uuid.UUID, sealed []byte) (string, error) {
	switch {
	case len(sealed) > 0 && sealed[0] == sealedPlain:
		return string(sealed[1:]), nil
	case len(sealed) == 0 || sealed[0] != sealedGCM:
		return "", errors.New("account: the secret of an app is kept in an unknown way")
	case s.key == nil:
		return "", errors.New("account: the secret of an app is encrypted, and there is no SECRET_KEY")
	}
	aead, err := gcm(s.key)
	if err != nil {
		return "", err
	}
	n := aead.NonceSize()
	if len(sealed) < 1+n {
		return "", errors.New("account: the secret of an app is cut off")
	}
	secret, err := aead.Open(nil, sealed[1:1+n], sealed[1+n:], person[:])
	if err != nil {
		return "", fmt.Errorf("account: the secret of an app cannot be read; SECRET_KEY is another one: %w", err)
	}
	return string(secret), nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("SECRET_KEY: %w", err)
	}
	return cipher.NewGCM(block)
}
