# The tables as the program makes them (`footway stores prepare`) and checks them.
# tables.json is written from the adapter's own definitions by
# `go test ./adapters/dynamo -run Terraform -update`, and a test compares them.

locals {
  tables = { for t in jsondecode(file("${path.module}/tables.json")) : t.name => t }
}

resource "aws_dynamodb_table" "footway" {
  for_each = local.tables

  name         = "${var.environment}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.key

  dynamic "attribute" {
    for_each = toset(each.value.attributes)
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = { for i in each.value.indexes : i.name => i }
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.projection
      non_key_attributes = length(global_secondary_index.value.attributes) > 0 ? global_secondary_index.value.attributes : null
    }
  }

  dynamic "ttl" {
    for_each = each.value.expires == "" ? [] : [each.value.expires]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  server_side_encryption {
    enabled = true
  }
  point_in_time_recovery {
    enabled = true
  }
  deletion_protection_enabled = true
}
