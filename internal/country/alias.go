package country

import (
	"sync"

	"golang.org/x/text/language"
)

func onceSorted(i int, tag language.Tag) func() []Country {
	return sync.OnceValue(func() []Country { return sortedBy(i, tag) })
}

// aliases are names in use that CLDR does not have: the official long forms, the
// ones ISO writes, the ones of other decades, and what people type.
var aliases = map[string][]string{
	"AE": {"UAE", "Emirates", "Emirats"},
	"BA": {"Bosnia-Herzegovina", "Bosnia Herzegovina"},
	"BN": {"Brunei Darussalam"},
	"BO": {"Bolivia, Plurinational State of", "Plurinational State of Bolivia"},
	"BQ": {"Bonaire, Sint Eustatius and Saba"},
	"BS": {"The Bahamas"},
	"CD": {"Congo, the Democratic Republic of the", "DR Congo", "DRC", "Congo, Dem. Rep.", "Zaire", "Congo Kinshasa"},
	"CG": {"Congo", "Republic of the Congo", "Congo, Rep.", "Congo Brazzaville"},
	"CI": {"Cote d'Ivoire", "Ivory Coast"},
	"CN": {"People's Republic of China", "PR China", "P.R. China", "PRC", "China, People's Republic of", "Mainland China"},
	"CV": {"Cabo Verde"},
	"CZ": {"Czech Republic", "Czech Rep."},
	"DE": {"Federal Republic of Germany", "Deutschland"},
	"FK": {"Falkland Islands (Malvinas)", "Malvinas"},
	"FM": {"Micronesia, Federated States of", "Federated States of Micronesia"},
	"GB": {"UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "United Kingdom of Great Britain and Northern Ireland"},
	"GM": {"The Gambia"},
	"HK": {"Hong Kong SAR", "Hong Kong, China", "Hong Kong SAR, China", "Hongkong"},
	"IR": {"Iran, Islamic Republic of", "Islamic Republic of Iran"},
	"KG": {"Kyrgyz Republic"},
	"KP": {"Korea, Democratic People's Republic of", "Democratic People's Republic of Korea", "DPRK", "Korea, North"},
	"KR": {"Korea, Republic of", "Republic of Korea", "Korea", "Korea (Republic of)", "ROK", "Korea, South", "Korea Rep"},
	"LA": {"Lao People's Democratic Republic", "Lao PDR"},
	"LY": {"Libyan Arab Jamahiriya", "State of Libya"},
	"MD": {"Moldova, Republic of", "Republic of Moldova"},
	"MF": {"Saint Martin (French part)"},
	"MK": {"Macedonia", "The former Yugoslav Republic of Macedonia", "FYROM", "Republic of North Macedonia"},
	"MM": {"Burma"},
	"MO": {"Macao", "Macau", "Macao, China", "Macau SAR", "Macao SAR, China"},
	"NL": {"The Netherlands", "Holland", "Netherlands, Kingdom of the", "Kingdom of the Netherlands"},
	"PS": {"Palestine, State of", "State of Palestine", "Occupied Palestinian Territory", "West Bank and Gaza"},
	"RU": {"Russian Federation"},
	"SH": {"Saint Helena, Ascension and Tristan da Cunha"},
	"SK": {"Slovak Republic"},
	"SX": {"Sint Maarten (Dutch part)"},
	"SY": {"Syrian Arab Republic"},
	"SZ": {"Swaziland", "Kingdom of Eswatini"},
	"TL": {"Timor-Leste", "East Timor"},
	"TR": {"Turkey", "Turkiye", "Republic of Türkiye"},
	"TW": {"Chinese Taipei", "Taiwan, Province of China", "Taiwan, China", "Taiwan, ROC"},
	"TZ": {"Tanzania, United Republic of", "United Republic of Tanzania"},
	"US": {"USA", "U.S.A.", "U.S.", "United States of America", "America", "Etats-Unis d'Amérique"},
	"VA": {"Holy See", "Vatican"},
	"VE": {"Venezuela, Bolivarian Republic of", "Bolivarian Republic of Venezuela"},
	"VG": {"Virgin Islands, British", "Virgin Islands (British)"},
	"VI": {"Virgin Islands, U.S.", "Virgin Islands (U.S.)"},
	"VN": {"Viet Nam", "Socialist Republic of Viet Nam"},
	"XK": {"XKX", "Republic of Kosovo"},
}
