# What each service may do at AWS, and no more. Each is a role that only its
# own service account can take.

locals {
  serve = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]

  # Which tables a service reads and writes. Integrations and Maps need none.
  tables_of = {
    fleet      = ["fleet-robots", "fleet-provider-accounts", "leases"]
    task       = ["task-tasks", "leases"]
    dispatch   = ["leases"]
    deliveries = ["leases"]
  }

  # Integrations, Maps, the pages and tidy may do nothing here, but a process wants to be
  # somebody: it does not start without credentials.
  roles = toset(concat(keys(local.tables_of), ["config", "integrations", "maps", "merchant", "prepare", "tidy"]))
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:sub"
      values   = ["system:serviceaccount:${var.namespace}:${var.release}-${each.key}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "service" {
  for_each             = local.roles
  name                 = "footway-${var.environment}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "tables" {
  for_each = local.tables_of
  # Whether all tables are as expected is asked by each, to be ready.
  statement {
    sid       = "Check"
    actions   = ["dynamodb:DescribeTable"]
    resources = [for t in aws_dynamodb_table.footway : t.arn]
  }
  statement {
    sid     = "Serve"
    actions = local.serve
    resources = flatten([
      for t in each.value : [aws_dynamodb_table.footway[t].arn, "${aws_dynamodb_table.footway[t].arn}/index/*"]
    ])
  }
}

resource "aws_iam_role_policy" "tables" {
  for_each = local.tables_of
  name     = "tables"
  role     = aws_iam_role.service[each.key].id
  policy   = data.aws_iam_policy_document.tables[each.key].json
}

data "aws_iam_policy_document" "prepare" {
  statement {
    sid       = "Prepare"
    actions   = ["dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive"]
    resources = [for t in aws_dynamodb_table.footway : t.arn]
  }
}

resource "aws_iam_role_policy" "prepare" {
  name   = "prepare"
  role   = aws_iam_role.service["prepare"].id
  policy = data.aws_iam_policy_document.prepare.json
}

data "aws_iam_policy_document" "configuration" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.footway["configuration"].arn}/*"]
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.footway.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "configuration" {
  name   = "configuration"
  role   = aws_iam_role.service["config"].id
  policy = data.aws_iam_policy_document.configuration.json
}

# Who puts the secrets into the cluster: the External Secrets operator or the
# CSI driver attaches this to its own role.
data "aws_iam_policy_document" "read_secrets" {
  statement {
    sid     = "Read"
    actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = concat(
      [for s in aws_secretsmanager_secret.footway : s.arn],
      [aws_secretsmanager_secret.broker.arn],
      [for d in aws_db_instance.footway : d.master_user_secret[0].secret_arn],
    )
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.footway.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "read_secrets" {
  name   = "footway-${var.environment}-read-secrets"
  policy = data.aws_iam_policy_document.read_secrets.json
}
