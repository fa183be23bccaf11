package osm

import (
	"strconv"
	"strings"
)

// address is an addr:* object; point is filled in later for ways.
type address struct {
	number, street, city, postcode string
}

// addressOf reads addr:*; false if it is not an address on a street or place.
func addressOf(t tags) (address, bool) {
	a := address{
		number:   strings.TrimSpace(t.get("addr:housenumber")),
		street:   strings.TrimSpace(firstOf(t, "addr:street", "addr:place")),
		city:     strings.TrimSpace(firstOf(t, "addr:city", "addr:suburb", "addr:hamlet")),
		postcode: strings.TrimSpace(t.get("addr:postcode")),
	}
	return a, a.number != "" && a.street != "" && len(a.number) <= 64 && len(a.street) <= 128
}

// longestRange is how many numbers a range such as "10-30" may stand for. More
// is more likely a flat number or a way of writing one house's number.
const longestRange = 11

// houseNumbers returns the single numbers of one that stands for several:
// "10-14" is 10, 12 and 14, "10;12" is both.
func houseNumbers(s string) []string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ',' })
	var list []string
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		list = append(list, numberRange(part)...)
	}
	return list
}

// numberRange expands "10-14" by twos if it rises, keeps to one side of the
// street and is short; anything else is one number.
func numberRange(s string) []string {
	from, to, ok := strings.Cut(strings.ReplaceAll(s, "–", "-"), "-")
	if !ok {
		return []string{s}
	}
	a, errA := strconv.Atoi(strings.TrimSpace(from))
	b, errB := strconv.Atoi(strings.TrimSpace(to))
	if errA != nil || errB != nil || a <= 0 || b <= a || (b-a)%2 != 0 || (b-a)/2 >= longestRange {
		return []string{s}
	}
	var list []string
	for n := a; n <= b; n += 2 {
		list = append(list, strconv.Itoa(n))
	}
	return list
}

// interpolationStep returns the step of addr:interpolation; 0 if it is of a
// kind that is not counted (alphabetic).
func interpolationStep(s string) int {
	switch s {
	case "even", "odd":
		return 2
	case "all":
		return 1
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 100 {
		return 0
	}
	return n
}

// kitchens are the amenities that hand something over a counter.
var kitchens = map[string]bool{
	"restaurant": true, "cafe": true, "fast_food": true, "bar": true, "pub": true, "biergarten": true,
	"ice_cream": true, "food_court": true, "pharmacy": true, "juice_bar": true, "bakery": true,
}

// shops are those that sell what fits into a robot.
var shops = map[string]bool{
	"alcohol": true, "art": true, "baby_goods": true, "bakery": true, "beauty": true, "beverages": true, "books": true,
	"butcher": true, "cheese": true, "chemist": true, "chocolate": true, "clothes": true, "coffee": true,
	"confectionery": true, "convenience": true, "cosmetics": true, "dairy": true, "deli": true, "department_store": true,
	"doityourself": true, "dry_cleaning": true, "electronics": true, "farm": true, "florist": true, "frozen_food": true,
	"general": true, "gift": true, "greengrocer": true, "hardware": true, "health_food": true, "ice_cream": true,
	"kiosk": true, "laundry": true, "mall": true, "medical_supply": true, "mobile_phone": true, "newsagent": true,
	"nutrition_supplements": true, "pasta": true, "pastry": true, "pet": true, "photo": true, "seafood": true, "shoes": true,
	"spices": true, "sports": true, "stationery": true, "supermarket": true, "tea": true, "toys": true,
	"variety_store": true, "wine": true,
}

// merchantOf returns name and kind of a shop or kitchen; false if it is none,
// has no name, or sells what no robot carries.
func merchantOf(t tags) (name, kind string, ok bool) {
	name = strings.TrimSpace(t.get("name"))
	kind = t.get("amenity")
	if !kitchens[kind] {
		kind = t.get("shop")
		if !shops[kind] {
			return "", "", false
		}
	}
	return name, kind, name != "" && len(name) <= 256
}
