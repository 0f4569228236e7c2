package apptest_test

import (
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestExec has what a test arranges lose against another transaction twice: it is tried again.
func TestExec(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Exec(`CREATE TABLE held (); CREATE SEQUENCE tries`) // a sequence keeps what is rolled back
	p.Exec(`
		INSERT INTO held DEFAULT VALUES;
		DO $$ BEGIN
		  IF nextval('tries') <= 2 THEN
		    RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';
		  END IF;
		END $$`)
	if got := apptest.Value[string](p, `SELECT (SELECT count(*) FROM held) || ' of ' || last_value FROM tries`); got != "1 of 3" {
		t.Errorf("rows and tries are %s", got)
	}
}
