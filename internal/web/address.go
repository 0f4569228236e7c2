package web

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Address is where the request comes from: the other end of the connection, and
// behind proxies of ours (Config.Proxies) the last address that none of them has.
// What a client writes into X-Forwarded-For itself stands before that and is not
// believed.
func (s *Server) Address(c *fiber.Ctx) netip.Addr {
	at, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	at = at.Unmap()
	if !ok || !s.proxy(at) {
		return at
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if at = hop.Unmap().WithZone(""); !s.proxy(at) {
			break
		}
	}
	return at
}

func (s *Server) proxy(a netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
