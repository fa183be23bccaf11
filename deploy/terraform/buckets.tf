# Settings of the markets, which Config reads, and recordings of partners'
# traffic, which hold personal data and so are kept apart and not for long.

locals {
  buckets = { configuration = 0, recordings = var.recordings_days }
}

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "footway" {
  for_each = local.buckets
  bucket   = "footway-${var.environment}-${each.key}-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_public_access_block" "footway" {
  for_each                = aws_s3_bucket.footway
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "footway" {
  for_each = aws_s3_bucket.footway
  bucket   = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "footway" {
  for_each = aws_s3_bucket.footway
  bucket   = each.value.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.footway.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "footway" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.footway[each.key].id

  rule {
    id     = "uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  # An older configuration can be gone back to for a year.
  rule {
    id     = "versions"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = each.value > 0 ? 1 : 365
    }
  }
  dynamic "rule" {
    for_each = each.value > 0 ? [each.value] : []
    content {
      id     = "age"
      status = "Enabled"
      filter {}
      expiration {
        days = rule.value
      }
    }
  }
}

data "aws_iam_policy_document" "only_tls" {
  for_each = aws_s3_bucket.footway
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "only_tls" {
  for_each   = aws_s3_bucket.footway
  bucket     = each.value.id
  policy     = data.aws_iam_policy_document.only_tls[each.key].json
  depends_on = [aws_s3_bucket_public_access_block.footway]
}
