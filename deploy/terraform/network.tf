resource "aws_security_group" "databases" {
  name_prefix = "footway-${var.environment}-databases-"
  description = "PostgreSQL, from the services"
  vpc_id      = var.vpc_id
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "databases" {
  for_each                     = toset(var.service_security_group_ids)
  security_group_id            = aws_security_group.databases.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_security_group" "broker" {
  name_prefix = "footway-${var.environment}-broker-"
  description = "AMQP over TLS, from the services"
  vpc_id      = var.vpc_id
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "broker" {
  for_each                     = toset(var.service_security_group_ids)
  security_group_id            = aws_security_group.broker.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5671
  to_port                      = 5671
}
