package kpi

// Direction says which values are better.
type Direction string

// The directions.
const (
	Lower   Direction = "lower"
	Higher  Direction = "higher"
	Neither Direction = "" // says how much there was, not how good it was
)

// Unit is the unit of a value.
type Unit string

// The units.
const (
	Seconds Unit = "s"
	Share   Unit = "share" // 0 to 1
	Count   Unit = "count"
	KM      Unit = "km"
	KWh     Unit = "kWh"
	Minutes Unit = "min"
	PerHour Unit = "1/h"
	WhPerKM Unit = "Wh/km"
)

// Definition is what a KPI means and how it is computed.
type Definition struct {
	Name   string // snake case, the statistic last
	Group  string // heading under which it is shown
	Unit   Unit
	Better Direction
	Doc    string

	// Of one delivery, in thousandths of the unit, if the KPI is a statistic over deliveries.
	sample func(*Record) (int64, bool)
	stat   statistic
	// Of the run, otherwise.
	value func(*Run) (v float64, ok bool)
}

// Of computes the KPI. ok is false if the run has nothing to compute it from,
// such as a mean over no deliveries.
func (d *Definition) Of(run *Run) (v float64, ok bool) {
	if d.sample == nil {
		return d.value(run)
	}
	v, ok = d.stat.of(samples(run.Records, d.sample), once)
	return v / 1000, ok
}

// The groups.
const (
	customers = "Customers"
	promises  = "Promises"
	handoffs  = "Handoffs"
	robots    = "Robots"
	people    = "People and trouble"
	volume    = "Volume"
	lost      = "Not delivered"
	refusals  = "Refused quotes"
)

// Definitions returns all KPIs in the order in which they are shown.
func Definitions() []Definition {
	var all []Definition
	all = append(all, customerDefinitions()...)
	all = append(all, promiseDefinitions()...)
	all = append(all, handoffDefinitions()...)
	all = append(all, robotDefinitions()...)
	all = append(all, peopleDefinitions()...)
	all = append(all, volumeDefinitions()...)
	return all
}

// overDeliveries returns one definition for each statistic of a sample.
func overDeliveries(d Definition, stats ...statistic) []Definition {
	var all []Definition
	name, doc := d.Name, d.Doc
	for _, s := range stats {
		d.Name, d.Doc, d.stat = name+"_"+s.suffix, doc+" "+s.words, s
		all = append(all, d)
	}
	return all
}

// Known reports whether name is the name of a KPI.
func Known(name string) bool {
	for _, d := range Definitions() {
		if d.Name == name {
			return true
		}
	}
	return false
}
