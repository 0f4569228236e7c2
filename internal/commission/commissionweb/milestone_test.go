package commissionweb_test

import (
	"fmt"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

func TestMilestones(t *testing.T) {
	w := newWorld(t)
	w.At(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	const page = "/commissions/grid-storage/milestones"
	ben, visitor := w.Person("Ben Bell"), w.Visitor()
	visitor.Get(page).Want(200, "No milestone has been set yet").Lacks("Add a milestone")
	w.ada.Post(page, "title", "x", "due_on", "soon").Want(422, "Use at least 3 characters", "Give a date as YYYY-MM-DD.", `value="soon"`)
	ben.Post(page, "title", "First report", "due_on", "2026-03-01").Want(403)
	w.ada.Post(page, "title", "First report", "due_on", "2026-03-01").Want(303)
	w.ada.Post(page, "title", "Second report", "due_on", "2027-03-01").Want(303)
	visitor.Get(page).Want(200, "First report", "Overdue", "Planned").Lacks("Edit")
	visitor.Get("/commissions/grid-storage").Want(200, "First report", "Overdue")
	id := apptest.Value[string](w.Portal, `SELECT id FROM milestone WHERE title = 'First report'`)
	w.ada.Post(page+"/"+id+"/done", "version", "1").Want(303)
	visitor.Get(page).Want(200, "Done").Lacks("Overdue")
	w.ada.Post(page+"/"+id+"/done", "version", "1").Want(412)
	w.ada.Post(page+"/"+id+"/undone", "version", "2").Want(303)
	w.ada.Get(page+"/"+id).Want(200, `value="First report"`, `value="2026-03-01"`)
	ben.Get(page + "/" + id).Want(403)
	w.ada.Post(page+"/"+id, "version", "1", "title", "The report", "due_on", "2026-04-01").Want(412, `value="The report"`, "Somebody changed this meanwhile")
	w.ada.Post(page+"/"+id, "version", "3", "title", "The report", "due_on", "2026-04-01", "done_on", "2026-13-01").Want(422, `value="2026-13-01"`)
	w.ada.Post(page+"/"+id, "version", "3", "title", "The report", "due_on", "2026-04-01").Want(303)
	visitor.Get(page).Want(200, "The report", "Due")
	w.ada.Get(page+"/"+id+"/remove").Want(200, "Remove this milestone?", "The report")
	w.ada.Post(page+"/"+id+"/remove", "version", "1").Want(412)
	w.ada.Post(page+"/"+id+"/remove", "version", "4").Want(303)
	w.ada.Post(page+"/"+id+"/remove", "version", "4").Want(404)
	w.ada.Get(page + "/nothing").Want(404)
	w.ada.Get("/commissions/grid-storage/history").Want(200, "Reached the milestone First report", "Removed the milestone The report")
}

func TestMilestonesAPI(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/grid-storage/milestones"
	w.Visitor().API("POST", path, map[string]any{"title": "Report", "due_on": "2027-01-01"}).Want(401)
	w.ada.API("POST", path, map[string]any{"title": "Report"}).Want(422, `"due_on"`)
	m := apptest.JSON[commission.Milestone](w.ada.API("POST", path, map[string]any{"title": "Report", "due_on": "2027-01-01"}).Want(201, `"due_on":"2027-01-01"`))
	one := fmt.Sprintf("%s/%s", path, m.ID)
	w.Visitor().API("GET", path, nil).Want(200, `"title":"Report"`)
	w.ada.API("PATCH", one, map[string]any{"done_on": "2026-12-24"}).Want(428)
	w.ada.API("PATCH", one, map[string]any{"done_on": "2026-12-24"}, "If-Match", `"v1"`).Want(200, `"done_on":"2026-12-24"`, `"title":"Report"`)
	w.ada.API("PATCH", one, map[string]any{"done_on": ""}, "If-Match", `"v1"`).Want(412)
	w.ada.API("PATCH", one, map[string]any{"done_on": ""}, "If-Match", `"v2"`).Want(200).Lacks("done_on")
	w.Visitor().API("DELETE", one, nil, "If-Match", `"v3"`).Want(401)
	w.ada.API("DELETE", one, nil, "If-Match", `"v3"`).Want(204)
	w.ada.API("GET", one, nil).Want(404)
	w.Exec(`INSERT INTO milestone (commission_id, title, due_on) SELECT $1, 'Many', '2027-01-01' FROM generate_series(1, 200)`, w.id)
	w.ada.API("POST", path, map[string]any{"title": "One more", "due_on": "2027-01-01"}).Want(409, "at most 200")
	w.state("abandoned")
	w.staff.API("POST", path, map[string]any{"title": "Late", "due_on": "2027-01-01"}).Want(409, "nothing of it can be changed")
}
