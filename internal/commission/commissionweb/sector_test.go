package commissionweb_test

import (
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

func TestSectors(t *testing.T) {
	w := newWorld(t)
	visitor := w.Visitor()
	visitor.Get("/sectors").Want(200, "Energy", "Finance", "1 commission").Lacks("Add a sector")
	visitor.Get("/sectors/energy").Want(200, "Grid Storage", "Commissions by state")
	visitor.Get("/sectors/finance").Want(200, "No commission works in this sector yet").Lacks("/commissions/new")
	visitor.Get("/sectors/nowhere").Want(404)
	visitor.Get("/sectors/new").Want(303)
	w.ada.Get("/sectors/new").Want(403)
	w.ada.Post("/sectors", "name", "Space", "position", "12").Want(403)
	w.staff.Get("/sectors/new").Want(200, `value="12"`)
	w.staff.Post("/sectors", "name", "Energy", "position", "12").Want(422, "There is a sector of this name already.", `value="Energy"`)
	w.staff.Post("/sectors", "name", "宇宙", "position", "-1").Want(422, "Give a whole number")
	w.staff.Post("/sectors", "name", "Space", "position", "12", "about", "Orbits and beyond.").Want(303)
	visitor.Get("/sectors").Want(200, "Orbits and beyond.")

	version := hidden(w.staff.Get("/sectors/energy/edit").Want(200, `value="Energy"`), "version")
	edit := []string{"version", version, "name", "Energy and grids", "position", "0", "closed", "true"}
	w.staff.Post("/sectors/energy", edit...).Want(303)
	w.staff.Post("/sectors/energy", edit...).Want(412, "Somebody changed this sector meanwhile")
	visitor.Get("/sectors/energy").Want(200, "Energy and grids", "Closed")
	w.ada.Get("/commissions/new").Want(200, "Space").Lacks("Energy and grids")
	w.ada.API("POST", "/commissions", map[string]any{"name": "Late", "acronym": "LATE", "kind": "commission", "sector": "energy", "purpose": "It comes after the door was closed.", "charter": "It comes after the door was closed."}).
		Want(422, `"sector":"Choose a sector that is open."`)
}

func TestSectorsAPI(t *testing.T) {
	w := newWorld(t)
	visitor := w.Visitor()
	visitor.API("GET", "/sectors", nil).Want(200, `"slug":"energy"`, `"commissions":1`)
	visitor.API("GET", "/sectors/energy", nil).Want(200, `"states":{"proposed":1}`)
	w.ada.API("POST", "/sectors", map[string]any{"name": "Space"}).Want(403)
	w.staff.API("POST", "/sectors", map[string]any{"name": "S", "position": 2000}).Want(422, `"name"`, `"position"`)
	s := apptest.JSON[commission.Sector](w.staff.API("POST", "/sectors", map[string]any{"name": "Space", "position": 12}).Want(201))
	if s.Slug != "space" {
		t.Errorf("got %+v", s)
	}
	w.staff.API("PATCH", "/sectors/space", map[string]any{"closed": true}).Want(428)
	w.staff.API("PATCH", "/sectors/space", map[string]any{"closed": true}, "If-Match", `"v1"`).Want(200, `"closed":true`, `"name":"Space"`)
	w.staff.API("PATCH", "/sectors/space", map[string]any{"closed": false}, "If-Match", `"v1"`).Want(412)
	w.staff.API("PATCH", "/sectors/nowhere", map[string]any{"closed": false}, "If-Match", `"v1"`).Want(404)
	w.staff.API("PATCH", "/sectors/energy", map[string]any{"position": 1}, "If-Match", `"v1"`).Want(200, `"commissions":1`, `"states":{"proposed":1}`)

	// What is done here is counted at once.
	w.ada.API("POST", "/commissions/grid-storage/transitions", map[string]any{"to": "abandoned", "reason": "Nobody came."}).Want(200)
	visitor.API("GET", "/sectors/energy", nil).Want(200, `"commissions":0`, `"states":{"abandoned":1}`)
	visitor.API("GET", "/sectors", nil).Want(200).Lacks(`"commissions":1`)
	visitor.Get("/sectors/energy").Want(200, "Abandoned")
}
