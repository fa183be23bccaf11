# Three nodes in three zones. Quorum queues, which hold updates until partners'
# log has them, want RabbitMQ 3.13 on Amazon MQ.

resource "random_password" "broker" {
  length  = 32
  special = false # some characters are not allowed, and 32 of the others are enough
}

resource "aws_mq_broker" "footway" {
  broker_name        = "footway-${var.environment}"
  engine_type        = "RabbitMQ"
  engine_version     = "3.13"
  deployment_mode    = "CLUSTER_MULTI_AZ"
  host_instance_type = var.broker_instance_type

  subnet_ids          = var.subnet_ids
  security_groups     = [aws_security_group.broker.id]
  publicly_accessible = false

  auto_minor_version_upgrade = true
  maintenance_window_start_time {
    day_of_week = "TUESDAY"
    time_of_day = "10:00" # the middle of the night in the west
    time_zone   = "UTC"
  }

  logs {
    general = true
  }

  user {
    username = "footway"
    password = random_password.broker.result
  }
}

resource "aws_secretsmanager_secret" "broker" {
  name       = "footway/${var.environment}/broker"
  kms_key_id = aws_kms_key.footway.arn
}

resource "aws_secretsmanager_secret_version" "broker" {
  secret_id     = aws_secretsmanager_secret.broker.id
  secret_string = random_password.broker.result
}
