package intake

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"commissionportal/internal/document"
)

// words turn what a file says into a word of the portal; "" where it says
// nothing that is known.
type words func(text string) string

// plain is how words are compared: lower case, letters and digits, one space.
func plain(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// exactly makes words of lists: "active: active, open, running" means that each
// of the three is active.
func exactly(lists ...string) words {
	known := map[string]string{}
	for _, l := range lists {
		word, names, _ := strings.Cut(l, ":")
		known[plain(word)] = word
		for n := range strings.SplitSeq(names, ",") {
			known[plain(n)] = word
		}
	}
	return func(text string) string { return known[plain(text)] }
}

// containing makes words of parts, the first that is in the text decides; of a
// text that lists several ("Association, Consulting") the first that is known.
func containing(lists ...string) words {
	type part struct{ word, part string }
	var parts []part
	for _, l := range lists {
		word, names, _ := strings.Cut(l, ":")
		for n := range strings.SplitSeq(names, ",") {
			parts = append(parts, part{word, " " + plain(n)})
		}
	}
	return func(text string) string {
		for one := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
			one = " " + plain(one)
			for _, p := range parts {
				if strings.Contains(one, p.part) {
					return p.word
				}
			}
		}
		return ""
	}
}

// first asks one after the other.
func first(list ...words) words {
	return func(text string) string {
		for _, w := range list {
			if word := w(text); word != "" {
				return word
			}
		}
		return ""
	}
}

var (
	organizationKinds = []string{"company", "government", "intergovernmental", "standards_body", "academia", "association"}
	categories        = []string{"founding", "full", "associate", "observer", "liaison"}
	commissionKinds   = []string{"commission", "subcommission", "working_group", "task_force"}
	states            = []string{"proposed", "forming", "active", "dormant", "concluded", "abandoned"}
	levels            = []string{"P", "O", "L"}
	roles             = []string{"chair", "vice_chair", "secretary", "voting_representative", "alternate_representative", "liaison_officer", "invited_expert", "observer", "emeritus"}
)

// organizationKind reads what an organization is; docs/import.md has the table.
var organizationKind = containing(
	"intergovernmental:intergovernmental, treaty organi",
	"standards_body:standards body, standards development, standards organi, standardi",
	"academia:academ, universit, research institut, college, school, education, polytechnic",
	"association:association, civil society, technical community, non profit, nonprofit, foundation, consortium, forum, federation, chamber, society, registry, governance body, hackerspace, ngo, secretariat",
	"government:government, goverment, ministry, regulat, law enforcement, space agency, public sector, agency, authority", //nolint:misspell // as it stands in files
	"company:company, business, corporat, industry, commercial, vendor, provider, maker, chipmaker, advertising, developer, producer, consult, software, hardware, network, content, cloud, cyber, testing, certification, financ, infrastructure, technolog, video, utility, bank, sme")

// kindByName is the kind that an organization's name gives away.
var kindByName = containing(
	"academia:universit, universid, uniwersyt, univerzit, hochschule, college, polytechnic, politecnico, institute of technology, school of, academy of sciences, akademi",
	"government:ministry, ministere, ministerio, ministerium, department of, federal office, bundesamt, national agency, government of, city of",
	"standards_body:standards institut, standardi, bureau of standards, standards organi",
	"association:association, verband, foundation, stiftung, fundacion, consortium, federation, society, alliance, e v, forum, chamber of")

var category = exactly("founding:founder, founding member, platinum, premier, strategic", "full:member, full member, gold, silver, regular, ordinary, voting",
	"associate:associate member, affiliate, academic, nonprofit, non profit, bronze, supporter", "observer:observing, end user supporter and contributor, end user",
	"liaison:partner, liaison organization")

var commissionKind = first(exactly("commission:technical committee, committee, tc, study group, council, board", "subcommission:subcommittee, sub committee, sc, sub commission",
	"working_group:wg, working party, sig, special interest group, technical advisory group, tag, advisory group, interest group, project committee",
	"task_force:tf, task group, tg, project team, ad hoc group, focus group, rapporteur group"),
	containing("subcommission:subcommit, subcommis", "task_force:task, focus group, ad hoc", "working_group:working, interest group, advisory group, project", "commission:committee, commission, study group"))

var state = exactly("proposed:bof, proposal", "forming:starting, in formation", "active:open, running, published, in force", "dormant:inactive, on hold, paused, suspended, standby",
	"concluded:closed, disbanded, dissolved, completed, retired, archived, ended", "abandoned:withdrawn, cancelled, canceled, rejected")

var level = exactly("P:participating, participant, p member, member, voting, voter, full, yes", "O:observing, observer, o member, non voting", "L:liaison, in liaison, d liaison, a liaison")

var role = first(exactly("chair:chairperson, chairman, chairwoman, co chair, cochair, convenor, convener, president, leader, lead, head",
	"vice_chair:vice chairperson, vice chairman, vice president, deputy chair, vice convenor",
	"secretary:committee manager, secretariat, co secretary, coordinator, committee secretary, editor",
	"voting_representative:representative, member, delegate, voting member, participant, technical lead, tech lead, principal, voter",
	"alternate_representative:alternate, deputy, substitute, alternate member", "observer:observing member, guest, non voting member",
	"liaison_officer:liaison, liaison representative", "invited_expert:expert, individual, advisor, adviser, technical expert", "emeritus:emerita, former chair, honorary, past chair"),
	containing("vice_chair:vice, deputy chair", "chair:chair", "secretary:secretar", "liaison_officer:liaison", "emeritus:emerit", "alternate_representative:alternate", "observer:observer", "invited_expert:expert"))

// sector maps the fields of the International Classification for Standards, and
// other usual words, to the convention's sectors; a sector's own name or slug is
// found in the portal itself.
var sector = first(exactly(
	"industry:manufacturing engineering, construction materials and building, civil engineering, fluid systems and components, metallurgy, mechanical systems and components, chemical technology, rubber and plastics industries, rubber and plastic industries, electronics, textile and leather technology, mining and minerals, wood technology, clothing industry, glass and ceramics industries, paper technology, metrology and measurement, testing, industrial, manufacturing, materials, construction",
	"agriculture:food technology, agriculture and food, forestry, fisheries, food",
	"energy:electrical engineering, energy and heat transfer engineering, petroleum and related technologies, oil and gas, power, utilities",
	"ai:information technology, information technology office machines, telecommunications audio and video, artificial intelligence, software, cloud software platforms, data, it, ict, telecommunications",
	"transportation:road vehicles engineering, shipbuilding and marine structures, aircraft and space vehicle engineering, railway engineering, transport, mobility, automotive, aviation",
	"healthcare:health care technology, environment health protection safety, health, medical",
	"logistics:materials handling equipment, packaging and distribution of goods, supply chain",
	"culture:image technology, domestic equipment entertainment sports, media, heritage, sport",
	"education:training, sociology services company organization education", "tourism:travel, hospitality", "finance:banking, insurance, fintech, payments"),
	containing("ai:artificial intelligence, software", "industry:precision mechanics, paint and"))

// noOrganization are the ways to say that somebody stands for none.
var noOrganization = exactly("none:independent, self, individual, n a, na, personal, freelance, unaffiliated, no organization")

var yes = exactly("true:yes, y, 1, x, voting", "false:no, n, 0, non voting")

var (
	documentTypes        = document.Types
	documentStatuses     = document.Statuses
	documentActions      = document.Actions
	documentVisibilities = document.Visibilities
)

var documentType = first(exactly("contribution:input, input document, member contribution, proposal, comment, comments, position paper",
	"working_draft:draft, committee draft, working document, wd, cd, discussion paper, internet draft", "report:technical report, tr, study, white paper, activity report",
	"minutes:meeting minutes, meeting report, summary record", "agenda:meeting agenda, draft agenda, order of business", "resolution:resolutions, decision, recommendation",
	"liaison_statement:liaison, incoming liaison, outgoing liaison, ls", "reference_architecture:architecture, reference model",
	"other:standard, international standard, technical specification, publicly available specification, international workshop agreement, guide, specification, letter, form, administrative, press release"),
	containing("minutes:minutes", "agenda:agenda", "resolution:resolution", "liaison_statement:liaison", "working_draft:draft", "contribution:contribution", "report:report", "reference_architecture:architecture"))

var documentStatus = exactly("draft:reserved, planned", "available:published, active, current, final, approved, in force, open, enquiry, approval, committee draft, under development, under review, accepted",
	"superseded:replaced, revised, obsolete, obsoleted, old version", "withdrawn:deleted, cancelled, canceled, retracted, rejected")

var documentAction = exactly("none:no action, n a", "information:for information, info, fyi", "comment:for comment, for comments, comments, review, for review", "decision:for decision, vote, for vote, ballot, for approval, for action")

var documentVisibility = exactly("public:open, everyone, world", "portal:anyone signed in, registered, all members", "commission:members, committee, restricted", "officers:officers only, chair", "organization:its organization", "named:named persons, confidential")
