output "databases" {
  description = "databases.*.url of footway.yaml."
  value       = { for name, d in aws_db_instance.footway : name => "postgres://footway@${d.endpoint}/${d.db_name}?sslmode=verify-full" }
}

output "database_secrets" {
  description = "Where the passwords of the databases are."
  value       = { for name, d in aws_db_instance.footway : name => d.master_user_secret[0].secret_arn }
}

output "broker" {
  description = "broker.url of footway.yaml, without the user."
  value       = aws_mq_broker.footway.instances[0].endpoints
}

output "tables_prefix" {
  description = "tables.prefix of footway.yaml."
  value       = "${var.environment}-"
}

output "buckets" {
  description = "configuration.from of footway.yaml is s3://BUCKET/KEY of the first."
  value       = { for name, b in aws_s3_bucket.footway : name => b.id }
}

output "roles" {
  description = "services.*.serviceAccount.annotations of the chart: eks.amazonaws.com/role-arn."
  value       = { for name, r in aws_iam_role.service : name => r.arn }
}

output "read_secrets_policy" {
  value       = aws_iam_policy.read_secrets.arn
  description = "For the role of whatever brings secrets into the cluster."
}
