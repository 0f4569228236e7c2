package web

// Paged is what every list of the API takes.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"From next of the page before; none for the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of a page."`
}

// Listed is a page of a list.
type Listed[T any] struct {
	Body struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent on the last."`
	}
}

// Page makes the answer of a list.
func Page[T any](rows []T, next string) *Listed[T] {
	out := &Listed[T]{}
	out.Body.Items, out.Body.Next = rows, next
	if rows == nil {
		out.Body.Items = []T{}
	}
	return out
}

// Versioned is one thing, with the version that an update names in If-Match.
type Versioned[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// Version makes the answer of a thing with a version.
func Version[T any](body T, version int) *Versioned[T] {
	return &Versioned[T]{ETag: ETag(version), Body: body}
}

// Created is a thing that has just been made, with its address.
type Created[T any] struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     T
}

// At makes the answer of a thing that was made.
func At[T any](body T, location string, version int) *Created[T] {
	return &Created[T]{Location: location, ETag: ETag(version), Body: body}
}

// Matched is what an update of the API takes.
type Matched struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version that the change was made from."`
}
