# One key for what is at rest.
resource "aws_kms_key" "footway" {
  description             = "Footway ${var.environment}: databases, buckets, secrets"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "footway" {
  name          = "alias/footway-${var.environment}"
  target_key_id = aws_kms_key.footway.key_id
}
