package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// edit is text put into a source.
type edit struct {
	at   int
	text string
}

// source is a file of the portal.
type source struct {
	path string
	text []byte
	tree *ast.File
	set  *token.FileSet
}

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

// of is the text of a node, on one line.
func (s *source) of(n ast.Node) string {
	return strings.Join(strings.Fields(string(s.text[s.offset(n.Pos()):s.offset(n.End())])), " ")
}

// asking are the methods of the policy (and of the services, which are called as it
// is) that are given who asks, with the place of that among the arguments.
var asking = map[string]int{"Require": 1, "May": 0, "MayByDefault": 0, "Places": 0}

// instrument writes the overlay, and returns a mutant for each call that asks.
func instrument() ([]*mutant, error) {
	sources, err := read("internal")
	if err != nil {
		return nil, err
	}
	wrappers := map[string]map[string]int{} // directory → function that passes who asks and an action on → place of who asks
	for _, s := range sources {
		if filepath.Dir(s.path) == "internal/access" {
			continue
		}
		for _, d := range s.tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name != "May" {
				if at := passes(s, f); at >= 0 {
					if wrappers[filepath.Dir(s.path)] == nil {
						wrappers[filepath.Dir(s.path)] = map[string]int{}
					}
					wrappers[filepath.Dir(s.path)][receives(s, f)+f.Name.Name] = at
				}
			}
		}
	}
	sites := 0
	overlay, mutants, names := map[string]string{}, []*mutant{}, map[string]int{}
	write := func(path string, text []byte) error {
		to := filepath.Join(dir, "src", strings.ReplaceAll(path, "/", "-")+".txt") // no source of the module
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		from, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if overlay[from], err = filepath.Abs(to); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	}
	for _, s := range sources {
		edits := []edit{}
		if filepath.Dir(s.path) == "internal/access" {
			edits = guards(s)
		} else {
			statements := map[ast.Node]bool{}
			within, receiver, method := "-", "", ""
			site := func(call *ast.CallExpr) int {
				sites++
				n := sites
				name := s.path + " " + within + " " + s.of(call)
				if i := strings.Index(name, " func("); i > 0 {
					name = strings.TrimSuffix(name[:i], ",") + " …)"
				}
				if names[name]++; names[name] > 1 {
					name += fmt.Sprintf(" (%d)", names[name])
				}
				mutants = append(mutants, &mutant{name: name, where: fmt.Sprintf("%s:%03d", s.path, s.set.Position(call.Pos()).Line), site: n, env: fmt.Sprintf("MUTANT=%d", n)})
				return n
			}
			ast.Inspect(s.tree, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					within, receiver, method = n.Name.Name, "", receives(s, n)
					if n.Recv != nil && len(n.Recv.List[0].Names) > 0 {
						receiver = n.Recv.List[0].Names[0].Name
					}
				case *ast.ExprStmt:
					statements[n.X] = true // asked, and the answer thrown away: a note that it was asked
				case *ast.CallExpr:
					f, ok := n.Fun.(*ast.SelectorExpr)
					if !ok {
						return true
					}
					of, at := s.of(f.X), -1
					switch policy := strings.HasSuffix(strings.ToLower(of), "policy") || strings.HasSuffix(of, "access"); {
					case of == "access" && f.Sel.Name == "See":
						at = 1
					case f.Sel.Name == "Holders" && policy:
						edits = append(edits, edit{s.offset(n.Pos()), fmt.Sprintf("mutants.Widest(%d, ", site(n))}, edit{s.offset(n.End()), ")"})
						return true
					case f.Sel.Name == "Renew" && of == "permit":
						edits = append(edits, edit{s.offset(n.Pos()), fmt.Sprintf("mutants.Renewed(%d, ", site(n))}, edit{s.offset(n.End()), ")"})
						return true
					case f.Sel.Name == "May" || policy:
						if place, ok := asking[f.Sel.Name]; ok {
							at = place
						}
					default:
						if place, ok := wrappers[filepath.Dir(s.path)][method+f.Sel.Name]; ok && of == receiver {
							at = place
						}
					}
					if at < 0 || at >= len(n.Args) || statements[n] && of == "access" {
						return true
					}
					if forEverybody(s, n) {
						everybody++
						sites++
						return true
					}
					edits = append(edits, edit{s.offset(n.Args[at].Pos()), fmt.Sprintf("mutants.Asks(%d, ", site(n))}, edit{s.offset(n.Args[at].End()), ")"})
				}
				return true
			})
			if len(edits) > 0 {
				edits = append(edits, edit{s.offset(s.tree.Name.End()), `; import mutants "commissionportal/internal/access"`})
			}
		}
		if len(edits) == 0 {
			continue
		}
		slices.SortStableFunc(edits, func(a, b edit) int { return a.at - b.at })
		text, from := []byte{}, 0
		for _, e := range edits {
			text = append(append(text, s.text[from:e.at]...), e.text...)
			from = e.at
		}
		if err := write(s.path, append(text, s.text[from:]...)); err != nil {
			return nil, err
		}
	}
	switches, err := os.ReadFile(".ci/mutants/switches.txt")
	if err != nil {
		return nil, err
	}
	if err := write("internal/access/mutants.go", switches); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	return mutants, os.WriteFile(dir+"/overlay.json", raw, 0o600)
}

// everybody counts the calls that ask for what a visitor may: nobody is refused there.
var everybody int

func forEverybody(s *source, call *ast.CallExpr) bool {
	if len(call.Args) < 3 {
		return false
	}
	question := ""
	for _, a := range call.Args[len(call.Args)-2:] {
		word, ok := a.(*ast.BasicLit)
		if !ok {
			return false
		}
		question += ", " + strings.Trim(word.Value, `"`)
	}
	asked := false
	for _, kind := range []string{"portal", "organization", "commission"} {
		if in := strings.Contains(s.of(call), "access.Portal"); in != (kind == "portal") {
			continue
		}
		has := rowsOf[kind][strings.TrimPrefix(question, ", ")]
		if len(has) > 0 && !slices.Contains(has, "visitor") {
			return false
		}
		asked = asked || len(has) > 0
	}
	return asked
}

// passes is the place of who asks among the parameters of a function that is given an
// action as well; -1 if it is none.
func passes(s *source, f *ast.FuncDecl) int {
	at, i, action := -1, 0, false
	for _, p := range f.Type.Params.List {
		for _, name := range p.Names {
			if s.of(p.Type) == "access.Actor" {
				at = i
			}
			action = action || name.Name == "action"
			i++
		}
	}
	if !action {
		return -1
	}
	return at
}

// receives is the type that a method is of, with a period.
func receives(s *source, f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return s.of(f.Recv.List[0].Type) + "."
}

// guards are the edits of the package access itself: the functions that decide are
// called by those of switches.txt.
func guards(s *source) []edit {
	edits := []edit{}
	for _, d := range s.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch d.Name.Name {
			case "decide", "Renew", "See", "answer", "readRows":
				edits = append(edits, edit{s.offset(d.Name.End()), "Unchanged"})
			case "Document", "Granted":
				if d.Recv != nil && s.of(d.Recv.List[0].Type) == "Sight" {
					all := `"true"`
					if d.Name.Name == "Granted" {
						all = "Live(w, h, now)"
					}
					edits = append(edits, edit{s.offset(d.Body.Lbrace) + 1, " if s.free { return " + all + " };"})
				}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && (t.Name.Name == "Actor" || t.Name.Name == "Sight") {
					if body, ok := t.Type.(*ast.StructType); ok {
						edits = append(edits, edit{s.offset(body.Fields.Opening) + 1, " free bool; sites []int;"})
					}
				}
			}
		}
	}
	return edits
}

// read parses the sources below a folder that are not tests.
func read(root string) ([]*source, error) {
	sources := []*source{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "apptest") {
			return err
		}
		s := &source{path: path, set: token.NewFileSet()}
		if s.text, err = os.ReadFile(path); err != nil {
			return err
		}
		s.tree, err = parser.ParseFile(s.set, path, s.text, 0)
		sources = append(sources, s)
		return err
	})
	return sources, err
}

// tested are the packages whose tests walk through the front door, and of each the
// tests that need a browser, which are left out.
func tested() (packages []string, skip map[string][]string, err error) {
	skip = map[string][]string{}
	for _, root := range []string{"internal", "cmd"} {
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			s := &source{path: path, set: token.NewFileSet()}
			if s.text, err = os.ReadFile(path); err != nil {
				return err
			}
			pkg := filepath.Dir(path)
			if !strings.Contains(string(s.text), "internal/app/apptest\"") || pkg == "internal/app/apptest" {
				return nil
			}
			if !slices.Contains(packages, pkg) {
				packages = append(packages, pkg)
			}
			if s.tree, err = parser.ParseFile(s.set, path, s.text, 0); err != nil {
				return err
			}
			for _, d := range s.tree.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") && (strings.HasSuffix(path, "browser_test.go") || strings.Contains(s.of(f), "Browser(")) {
					skip[pkg] = append(skip[pkg], f.Name.Name)
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return packages, skip, nil
}
