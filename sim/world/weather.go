package world

import (
	"context"

	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/scenario"
)

// weather is the weather now.
type weather struct {
	Kind   string `json:"kind"`
	Speed  int64  `json:"speed"`  // permille of the speed in clear weather
	Energy int64  `json:"energy"` // permille of the energy in clear weather
}

// weathers is what each weather does to robots. Rain makes them brake earlier
// and people hold umbrellas across the sidewalk; snow is rolled over and slips; heat costs cooling.
var weathers = [...]weather{
	{"clear", 1000, 1000},
	{"rain", 880, 1060},
	{"heavy_rain", 740, 1140},
	{"snow", 560, 1380},
	{"heat", 1000, 1090},
}

// changeWeather makes it so: robots feel it from their next leg on, and the map
// is told, as a weather feed would tell it.
func (w *World) changeWeather(ctx context.Context, c scenario.Weather) error {
	for _, k := range weathers {
		if k.Kind != c.Kind {
			continue
		}
		w.weather = k
		w.journal(runlog.WeatherChanged, string(w.o.Market.ID), runlog.Weather{Kind: k.Kind, SpeedPermille: k.Speed})
		for _, class := range []maps.Class{maps.Sidewalk, maps.Crossing, maps.Path, maps.Shared, maps.KerbStep} {
			if err := w.p.Maps.SetSpeed(ctx, w.o.Market.ID, class, int32(k.Speed)); err != nil {
				return err
			}
		}
	}
	return nil
}
