// Package apidoc turns the OpenAPI description of the API into what a reader
// wants to know of it, section by section.
package apidoc

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Section is the operations on one kind of thing.
type Section struct {
	Name       string
	ID         string // to link to
	Operations []Operation
}

// Operation is one call.
type Operation struct {
	ID          string
	Method      string
	Path        string
	Summary     string
	Description string
	Parameters  []Value // of path, query and header
	Body        []Value // fields of the JSON body
	Answer      []Value // fields of the JSON answer
	Status      string  // of success
	Example     string  // a body to start from
}

// Value is a parameter or a field.
type Value struct {
	Name     string
	In       string // path, query, header; "" for a field
	Type     string
	Required bool
	Text     string
}

// Sections describes all operations, in the order of their paths.
func Sections(spec *huma.OpenAPI) []Section {
	byTag := map[string]*Section{}
	var sections []*Section
	paths := make([]string, 0, len(spec.Paths))
	for path := range spec.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		item := spec.Paths[path]
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o == nil {
				continue
			}
			tag := "Other"
			if len(o.Tags) > 0 {
				tag = o.Tags[0]
			}
			if byTag[tag] == nil {
				byTag[tag] = &Section{Name: tag, ID: strings.ToLower(strings.ReplaceAll(tag, " ", "-"))}
				sections = append(sections, byTag[tag])
			}
			byTag[tag].Operations = append(byTag[tag].Operations, describe(spec, path, o))
		}
	}
	slices.SortStableFunc(sections, func(a, b *Section) int { return cmp.Compare(a.Name, b.Name) })
	out := make([]Section, len(sections))
	for i, s := range sections {
		out[i] = *s
	}
	return out
}

func describe(spec *huma.OpenAPI, path string, o *huma.Operation) Operation {
	d := Operation{ID: strings.ReplaceAll(o.OperationID, ".", "-"), Method: o.Method, Path: path, Summary: o.Summary, Description: o.Description}
	for _, p := range o.Parameters {
		d.Parameters = append(d.Parameters, Value{Name: p.Name, In: p.In, Type: typeOf(spec, p.Schema), Required: p.Required, Text: cmp.Or(p.Description, p.Schema.Description)})
	}
	if o.RequestBody != nil {
		if schema := jsonOf(spec, o.RequestBody.Content); schema != nil {
			d.Body = fields(spec, schema)
			d.Example = example(spec, schema)
		}
	}
	for _, status := range []string{"200", "201", "202", "204"} {
		if r := o.Responses[status]; r != nil {
			d.Status = status
			if schema := jsonOf(spec, r.Content); schema != nil {
				d.Answer = fields(spec, schema)
			}
			break
		}
	}
	return d
}

func jsonOf(spec *huma.OpenAPI, content map[string]*huma.MediaType) *huma.Schema {
	if m := content["application/json"]; m != nil && m.Schema != nil {
		return resolve(spec, m.Schema)
	}
	return nil
}

func resolve(spec *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return spec.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func fields(spec *huma.OpenAPI, s *huma.Schema) []Value {
	if s.Type == huma.TypeArray && s.Items != nil {
		return fields(spec, resolve(spec, s.Items))
	}
	var list []Value
	for _, name := range names(s) {
		p := s.Properties[name]
		list = append(list, Value{Name: name, Type: typeOf(spec, p), Required: slices.Contains(s.Required, name), Text: p.Description})
		if p.Type == huma.TypeArray && p.Items != nil { // one level into lists: what their items have
			for _, f := range fields(spec, resolve(spec, p.Items)) {
				f.Name = name + "[]." + f.Name
				list = append(list, f)
			}
		}
	}
	return list
}

func names(s *huma.Schema) []string {
	list := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int {
		if ra, rb := slices.Contains(s.Required, a), slices.Contains(s.Required, b); ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	return list
}

func typeOf(spec *huma.OpenAPI, s *huma.Schema) string {
	if s == nil {
		return ""
	}
	s = resolve(spec, s)
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			b, err := json.Marshal(w)
			if err != nil { // came from a tag in the code
				panic(err)
			}
			words[i] = strings.Trim(string(b), `"`)
		}
		return strings.Join(words, " | ")
	case s.Type == huma.TypeArray && s.Items != nil:
		return "list of " + typeOf(spec, s.Items)
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

// example is a body with a value of the right type in every required field.
func example(spec *huma.OpenAPI, s *huma.Schema) string {
	v, err := json.MarshalIndent(sample(spec, s, 0), "", "  ")
	if err != nil { // made of maps and words
		panic(err)
	}
	return string(v)
}

func sample(spec *huma.OpenAPI, s *huma.Schema, depth int) any {
	s = resolve(spec, s)
	switch {
	case depth > 4:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeObject:
		m := map[string]any{}
		for _, name := range names(s) {
			if slices.Contains(s.Required, name) {
				m[name] = sample(spec, s.Properties[name], depth+1)
			}
		}
		return m
	case s.Type == huma.TypeArray && s.Items != nil:
		return []any{sample(spec, s.Items, depth+1)}
	case s.Type == huma.TypeInteger, s.Type == huma.TypeNumber:
		return 1
	case s.Type == huma.TypeBoolean:
		return false
	case s.Format == "date-time":
		return "2027-01-31T00:00:00Z"
	case s.Format == "date":
		return "2027-01-31"
	case s.Format == "uuid":
		return "01980000-0000-7000-8000-000000000000"
	}
	return "…"
}
