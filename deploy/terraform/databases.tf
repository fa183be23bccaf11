# One database for each service that keeps rows, so that none can slow another
# down or read what is not its own.
#
# PostGIS and pg_trgm come with RDS, but only a member of rds_superuser may create
# them: `footway stores prepare` runs as the master user, which is one.

resource "aws_db_subnet_group" "footway" {
  name_prefix = "footway-${var.environment}-"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "footway" {
  name_prefix = "footway-${var.environment}-"
  family      = "postgres15"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # An accepted delivery is on two disks before the answer leaves.
  parameter {
    name  = "synchronous_commit"
    value = "on"
  }
  # Statements carry names, phones and addresses; so nothing of them is logged.
  parameter {
    name  = "log_statement"
    value = "none"
  }
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }
  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "footway" {
  for_each = var.databases

  identifier     = "footway-${var.environment}-${each.key}"
  db_name        = each.key
  engine         = "postgres"
  engine_version = "15" # what the tests run with; minor versions by themselves
  instance_class = each.value.instance_class

  allocated_storage     = each.value.storage_gb
  max_allocated_storage = each.value.most_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.footway.arn

  username                      = "footway"
  manage_master_user_password   = true # made, kept and rotated in Secrets Manager; never in the state
  master_user_secret_kms_key_id = aws_kms_key.footway.key_id

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.footway.name
  vpc_security_group_ids = [aws_security_group.databases.id]
  parameter_group_name   = aws_db_parameter_group.footway.name
  publicly_accessible    = false

  backup_retention_period         = 14
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = false
  final_snapshot_identifier       = "footway-${var.environment}-${each.key}-final"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.footway.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}
