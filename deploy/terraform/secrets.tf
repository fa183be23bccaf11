# Secrets that Footway only reads. Their values are set by hand or by a rotation,
# so that they are never in the state; deploy/terraform/README.md says how each is made.

locals {
  secrets = {
    seal-key       = "32 bytes in base64: seals partners' secrets in the database"
    token-key      = "at least 32 bytes: signs OAuth access tokens"
    digest-key     = "at least 32 bytes: keys the digests of requests"
    pass-key       = "at least 32 bytes: signs the passes of merchants' pages"
    link-key       = "at least 32 bytes: makes the links of recipients' pages"
    operator-token = "what operators' tools show"
  }
}

resource "aws_secretsmanager_secret" "footway" {
  for_each    = local.secrets
  name        = "footway/${var.environment}/${each.key}"
  description = each.value
  kms_key_id  = aws_kms_key.footway.arn
}
