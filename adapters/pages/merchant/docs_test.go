package merchant

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"footway/adapters/restapi"
)

// TestDocsNameTheCalls compares the table of buttons with the API's document and with what the pages call.
func TestDocsNameTheCalls(t *testing.T) {
	text, err := os.ReadFile("../../../docs/merchants/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## Each button, and the call behind it")
	table, _, ended := strings.Cut(table, "\n## ")
	if !found || !ended {
		t.Fatal("the table of buttons is not there")
	}
	var named []string
	for _, m := range regexp.MustCompile("`([a-z][A-Za-z]+)`").FindAllStringSubmatch(table, -1) {
		named = append(named, m[1])
	}
	var document []byte
	for _, name := range []string{"deliveries", "webhooks"} {
		one, err := os.ReadFile("../../restapi/openapi/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		document = append(document, one...)
	}
	operations := map[string]string{} // by what the path looks like
	path := ""
	for line := range strings.Lines(string(document)) {
		if m := regexp.MustCompile(`^  (/v1/[^:]*):\s*$`).FindStringSubmatch(line); m != nil {
			path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(m[1], "*")
		}
		if m := regexp.MustCompile(`^      operationId: (\w+)`).FindStringSubmatch(line); m != nil {
			operations[m[1]] = path
		}
	}
	if len(operations) < 20 {
		t.Fatalf("the API's document has %d operations only; it reads otherwise now", len(operations))
	}
	for _, op := range named {
		if _, there := operations[op]; !there {
			t.Errorf("the docs name %s, which the API does not have", op)
		}
		if !restapi.MerchantsMay(op) {
			t.Errorf("the docs name %s, which merchants may not call", op)
		}
	}
	for op, at := range operations {
		if restapi.MerchantsMay(op) && !slices.Contains(named, op) && !unused[op] {
			t.Errorf("merchants may call %s (%s), and the docs name no button for it", op, at)
		}
	}
}

// unused are operations for programs of merchants, for which the pages have no use.
var unused = map[string]bool{"createDelivery": true, "locate": true, "estimate": true, "listBusinesses": true, "getBusiness": true, "getStore": true, "openapi": true}
