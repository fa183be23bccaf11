variable "region" {
  description = "Such as us-west-2."
  type        = string
}

variable "environment" {
  description = "Such as production; begins the names of what is made. A prefix of the tables in footway.yaml must be the same with a dash."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.environment))
    error_message = "Want 2 to 21 of a-z 0-9 -, a letter first."
  }
}

variable "vpc_id" {
  description = "The network of the services."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in three zones, for databases and the broker."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "Want three subnets, each in another zone: the broker is a cluster of three."
  }
}

variable "service_security_group_ids" {
  description = "Security groups of the services' pods or nodes: only they reach databases and broker."
  type        = list(string)
  validation {
    condition     = length(var.service_security_group_ids) > 0
    error_message = "Want at least one: otherwise nobody reaches the databases."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the EKS cluster's OpenID Connect provider, by which its service accounts take roles."
  type        = string
}

variable "oidc_issuer" {
  description = "Its issuer without https://, such as oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE."
  type        = string
}

variable "namespace" {
  description = "Namespace of the Helm release."
  type        = string
  default     = "footway"
}

variable "release" {
  description = "What the chart's objects are called: footway for a release named footway."
  type        = string
  default     = "footway"
}

variable "databases" {
  description = "Size of each database. Sizes are a beginning; docs/operators/capacity.md says what to measure."
  type = map(object({
    instance_class = string
    storage_gb     = number
    most_gb        = number
  }))
  default = {
    deliveries   = { instance_class = "db.m7g.large", storage_gb = 100, most_gb = 1000 }
    maps         = { instance_class = "db.t4g.medium", storage_gb = 50, most_gb = 200 }
    integrations = { instance_class = "db.m7g.large", storage_gb = 100, most_gb = 1000 }
  }
  validation {
    condition     = toset(keys(var.databases)) == toset(["deliveries", "maps", "integrations"])
    error_message = "Want deliveries, maps and integrations."
  }
}

variable "broker_instance_type" {
  description = "Of each of the three nodes."
  type        = string
  default     = "mq.m5.large"
}

variable "recordings_days" {
  description = "How long recordings of partners' traffic are kept. They hold personal data."
  type        = number
  default     = 30
}
