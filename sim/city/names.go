package city

import (
	"footway/core/maps"
	"footway/core/rng"
)

// names gives out names, each once as long as there are any.
type names struct {
	dice    *dice
	streets []string
	squares []string
	alleys  []string
	first   []string
	second  []string
	used    map[string]bool
}

func newNames(seed rng.Seed) *names {
	d := newDice(seed, "names")
	return &names{
		dice: d, streets: d.shuffled(streetWords()), squares: d.shuffled(squareWords()), alleys: d.shuffled(alleyWords()),
		first: shopFirst(), second: shopSecond(), used: map[string]bool{},
	}
}

// take returns the first word and puts it at the end.
func take(words []string) string {
	w := words[0]
	copy(words, words[1:])
	words[len(words)-1] = w
	return w
}

// street names a street: those that run east are streets, those that run north
// avenues, and smaller ones go by many words.
func (n *names) street(rank maps.Street, east bool) string {
	kinds := []string{"Avenue", "Lane", "Row", "Drive"}
	if east {
		kinds = []string{"Street", "Street", "Road", "Terrace", "Way"}
	}
	kind := kinds[n.dice.n(int64(len(kinds)))]
	if rank > maps.StreetResidential {
		kind = kinds[0]
	}
	if rank == maps.StreetPrimary && !east {
		kind = "Boulevard"
	}
	return n.unique(func() string { return take(n.streets) + " " + kind })
}

func (n *names) square() string {
	return n.unique(func() string { return take(n.squares) + " Square" })
}
func (n *names) alley() string { return take(n.alleys) + " Passage" }

// unique draws until a name is new, and after many tries takes what it gets.
func (n *names) unique(draw func() string) string {
	name := draw()
	for range 200 {
		if !n.used[name] {
			break
		}
		name = draw()
	}
	n.used[name] = true
	return name
}

// shop names a shop or kitchen and says which kind it is.
func (n *names) shop() (name, kind string) {
	kinds := []struct {
		kind    string
		endings []string
		share   int64
	}{
		{"restaurant", []string{"Kitchen", "Table", "Ladle", "Oven", "Bistro", "Grill House"}, 34},
		{"cafe", []string{"Coffee", "Tea Room", "Café", "Roasters"}, 18},
		{"fast_food", []string{"Noodles", "Burgers", "Tacos", "Dumplings", "Falafel", "Pizza"}, 22},
		{"bakery", []string{"Bakery", "Bread", "Pastries"}, 8},
		{"convenience", []string{"Corner Shop", "Provisions"}, 7},
		{"florist", []string{"Flowers"}, 4},
		{"pharmacy", []string{"Pharmacy"}, 4},
		{"books", []string{"Books"}, 3},
	}
	pick := n.dice.n(100)
	i := 0
	for pick >= kinds[i].share {
		pick -= kinds[i].share
		i++
	}
	k := kinds[i]
	draw := func() string {
		ending := k.endings[n.dice.n(int64(len(k.endings)))]
		a := n.first[n.dice.n(int64(len(n.first)))]
		if n.dice.chance(350) {
			return a + " & " + n.second[n.dice.n(int64(len(n.second)))] + " " + ending
		}
		return a + " " + ending
	}
	return n.unique(draw), k.kind
}

func streetWords() []string {
	return []string{
		"Alder", "Anchor", "Barnacle", "Beacon", "Bellwether", "Bramble", "Brigantine", "Candlewick", "Capstan", "Chandler",
		"Cinder", "Clover", "Cooper", "Copperfield", "Cormorant", "Curlew", "Damson", "Dovecote", "Driftwood", "Eider",
		"Elderberry", "Ember", "Fairwind", "Fathom", "Fennel", "Ferryman", "Flint", "Foxglove", "Gannet", "Gorse",
		"Granary", "Guillemot", "Halyard", "Hawthorn", "Hazel", "Heather", "Hedgerow", "Hollyhock", "Hornbeam", "Ironmonger",
		"Juniper", "Keel", "Kestrel", "Kingfisher", "Lantern", "Larkspur", "Lavender", "Linden", "Lobster Pot", "Lookout",
		"Mariner", "Marram", "Meadow", "Merchant", "Mill", "Moorhen", "Mulberry", "Needle", "Nettle", "Oarsman",
		"Orchard", "Osprey", "Oyster", "Pebble", "Pelican", "Pilot", "Plover", "Quarry", "Quince", "Redstart",
		"Ropewalk", "Rosemary", "Rowan", "Saddler", "Sailmaker", "Saltmarsh", "Sandpiper", "Seaholly", "Shearwater", "Shingle",
		"Signal", "Skylark", "Sorrel", "Spindle", "Spinnaker", "Starboard", "Sycamore", "Tanner", "Tansy", "Teasel",
		"Tern", "Thimble", "Thistle", "Tidewater", "Tiller", "Turnstone", "Verbena", "Weaver", "Wheelwright", "Whimbrel",
		"Willow", "Windlass", "Yarrow", "Yew",
	}
}

func squareWords() []string {
	return []string{"Almanac", "Clockmaker", "Cornmarket", "Fountain", "Herring", "Lamplighter", "Storyteller", "Weighhouse"}
}

func alleyWords() []string {
	return []string{
		"Button", "Cat's", "Cheese", "Cobbler", "Fiddler", "Ginger", "Glover", "Inkwell", "Jackdaw", "Kettle", "Lace",
		"Magpie", "Nutmeg", "Onion", "Paper", "Quill", "Ribbon", "Saffron", "Sparrow", "Tinker", "Velvet", "Wren",
	}
}

func shopFirst() []string {
	return []string{
		"Amber", "Auntie Ro", "Barley", "Blue Heron", "Brass Kettle", "Captain's", "Cinnamon", "Copper", "Dune", "Eleven",
		"Fig", "Five Gulls", "Golden Wok", "Green Door", "Harbour", "Honey", "Juno's", "Lighthouse", "Little Basil",
		"Mango", "Marigold", "Mint", "Nettle", "North Pier", "Old Rope", "Olive", "Paprika", "Pepper", "Plum", "Quayside",
		"Red Lantern", "Rye", "Saffron", "Salt", "Sesame", "Silver Spoon", "Slow", "Sunday", "Tamarind", "Three Oars",
		"Tidal", "Turmeric", "Umber", "Walnut", "Wild Thyme", "Yellow Tram",
	}
}

func shopSecond() []string {
	return []string{"Ash", "Basil", "Bone", "Clove", "Daughter", "Fennel", "Flour", "Ginger", "Honey", "Ivy", "Oak", "Rose", "Rye", "Sage", "Smoke", "Stone", "Tide", "Vine"}
}
