package problem

import "fmt"

// Moved says that what was asked for has another address now, because it was
// renamed or merged into something else. Both are paths of its page, such as
// "/organizations/siemens-ag"; what lies below moved with it. A door answers with
// a redirect.
type Moved struct{ From, To string }

func (m *Moved) Error() string { return fmt.Sprintf("%s is %s now", m.From, m.To) }
