package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"commissionportal/internal/web"
)

// health adds liveness (the process answers) and readiness (its database does).
func (a *App) health() {
	a.Web.Page("GET", "/healthz", "health.live", web.Open, func(c *fiber.Ctx) error {
		return c.SendString("ok\n")
	})
	a.Web.Page("GET", "/readyz", "health.ready", web.Open, func(c *fiber.Ctx) error {
		if a.Web.Stopping() {
			return c.Status(fiber.StatusServiceUnavailable).SendString("The portal is about to stop.\n")
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
		defer cancel()
		var one int
		if err := a.DB.Get(ctx, &one, `SELECT 1 FROM founding_threshold`); err != nil {
			a.Log.ErrorContext(ctx, "not ready", "error", err)
			return c.Status(fiber.StatusServiceUnavailable).SendString("The portal cannot reach its database.\n")
		}
		return c.SendString("ready\n")
	})
}

// metrics are what Prometheus reads, on a port of their own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *App) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "portal_request_seconds", Help: "Time to answer a request, by route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"method", "route", "status"})}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "portal_views_dropped_total", Help: "Views and previews of documents that could not be noted."},
		func() float64 { return float64(a.Documents.Dropped()) }))
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewDBStatsCollector(a.DB.DB.DB, "portal"))
	if a.DB.Replicated() {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "portal_replica_fit", Help: "1 while visitors are shown what the replica has, 0 while it stays behind or does not answer."}, func() float64 {
			if a.DB.Fit() {
				return 1
			}
			return 0
		}))
	}
	return m
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// serve answers Prometheus on address until ctx ends.
func (m *metrics) serve(ctx context.Context, address string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
