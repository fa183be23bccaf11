package dynamo

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated files anew")

const terraformFile = "../../deploy/terraform/tables.json"

// terraformTable is a table as deploy/terraform/tables.tf reads it.
type terraformTable struct {
	Name       string           `json:"name"`
	Key        string           `json:"key"`
	Attributes []string         `json:"attributes"` // those of keys; all are strings
	Expires    string           `json:"expires"`    // the attribute by which items expire, or none
	Indexes    []terraformIndex `json:"indexes"`
}

type terraformIndex struct {
	Name       string   `json:"name"`
	HashKey    string   `json:"hash_key"`
	RangeKey   string   `json:"range_key"`
	Projection string   `json:"projection"`
	Attributes []string `json:"attributes"`
}

// TestTerraform: who makes the tables with Terraform gets those that
// CreateTables would have made.
func TestTerraform(t *testing.T) {
	var tables []terraformTable
	for _, in := range (Tables{}).all() {
		out := terraformTable{Name: *in.TableName, Key: *in.KeySchema[0].AttributeName, Indexes: []terraformIndex{}}
		if len(in.KeySchema) != 1 {
			t.Fatalf("table %s has a key of %d attributes; tables.tf knows of one", out.Name, len(in.KeySchema))
		}
		if out.Name == (Tables{}).tasks() {
			out.Expires = attrExpires
		}
		for _, a := range in.AttributeDefinitions {
			if a.AttributeType != "S" {
				t.Fatalf("attribute %s of table %s is of type %s; tables.tf knows of S", *a.AttributeName, out.Name, a.AttributeType)
			}
			out.Attributes = append(out.Attributes, *a.AttributeName)
		}
		for _, i := range in.GlobalSecondaryIndexes {
			out.Indexes = append(out.Indexes, terraformIndex{
				Name: *i.IndexName, HashKey: aws.ToString(i.KeySchema[0].AttributeName), RangeKey: aws.ToString(i.KeySchema[1].AttributeName),
				Projection: string(i.Projection.ProjectionType), Attributes: append([]string{}, i.Projection.NonKeyAttributes...),
			})
		}
		tables = append(tables, out)
	}
	want, err := json.MarshalIndent(tables, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(terraformFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(terraformFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is out of date; run go test ./adapters/dynamo -run Terraform -update\n(-want +got):\n%s", terraformFile, diff)
	}
}
