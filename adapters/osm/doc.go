// Package osm makes a maps.Network of an OpenStreetMap extract in the PBF
// format. It reads the whole file in three passes (relations, ways, nodes), so
// the order of the objects does not matter, and keeps in memory only what a
// robot's map needs. It decodes in the caller's goroutine, bounds every
// allocation by the input, and answers damage with an error that names the byte.
//
// # What becomes of a way
//
// Footways, paths, pedestrian areas and cycleways where people may walk are
// taken as they are; steps, escalators, indoor corridors, private ways, and
// what is only planned never. Motorways never; trunk roads only where a
// sidewalk is tagged on them.
//
// Streets are the hard part, since many regions hardly map sidewalks. The
// decision here: a street stands for its own sidewalks. Its centre line becomes
// an edge of class Sidewalk with the flag Inferred where the sidewalk is tagged
// on the street (both, left, right, yes) or where nothing is known and no
// mapped sidewalk runs beside it. Where the sidewalk is mapped as a way of its
// own, small streets stay as Shared, so that houses without a mapped footway
// remain within reach, and tertiary and greater ones are left out. Where there
// is none (no, none), small streets are Shared and greater ones are left out.
// Geometry is not moved aside: an offset of four metres is less than the
// mapping error of a house's position, and offset lines tie knots at junctions.
//
// A way that is tagged as a crossing is one. Where an inferred sidewalk or a
// path passes straight over another street, a crossing is inferred: a stretch
// as long as that street is wide, on one of the two arms. So the straight way
// pays for one crossing, and of the turns about half, as on the ground. Where a
// side street ends there is none, for the far side of the street avoids it.
//
// A mapped crossing is cut where it meets the roadway. Waiting is paid once: the
// first half carries Control and Signal, the other has ControlNone.
//
// Behind the network lie streets, buildings, greens and water. The sea is what
// lies right of the coastlines, up to the edge of the map; where that would put
// the network under water the coastlines are broken, and there is no sea.
// Outlines of the map have no holes: islands and clearings are joined to the
// outline by cuts of no width.
package osm
