package window

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"footway/visualizer/scene"
)

// BenchmarkBatch is what the processor does for a picture that moves, but for what Ebitengine does of
// it: robots of some two dozen corners each, and labels of a few of them.
func BenchmarkBatch(b *testing.B) {
	for _, robots := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(robots), func(b *testing.B) {
			var l scene.Layer
			pen := scene.NewPen(&l)
			luck := rand.New(rand.NewPCG(1, 2))
			p := scene.PaletteOf(scene.Dark)
			for range robots {
				x, y := luck.Float32()*1600, luck.Float32()*1000
				pen.Disc(x, y, 5, p.Outline)
				pen.Disc(x, y, 4, p.Accent)
			}
			var batch batch
			b.ReportAllocs()
			for b.Loop() {
				batch.reset()
				batch.triangles(&l, 2, 0)
			}
			b.ReportMetric(float64(len(batch.vertices)), "vertices")
		})
	}
}
