package restapi

import (
	"embed"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed openapi/*.yaml
var documents embed.FS

var rendered sync.Map // name → JSON

// documentOf returns an OpenAPI document as JSON. It panics if there is none,
// since they are part of the program.
func documentOf(name string) []byte {
	if b, ok := rendered.Load(name); ok {
		return b.([]byte)
	}
	text, err := documents.ReadFile("openapi/" + name + ".yaml")
	if err != nil {
		panic("restapi: " + err.Error())
	}
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		panic("restapi: openapi/" + name + ".yaml: " + err.Error())
	}
	rendered.Store(name, b)
	return b
}
