# The parts of Footway that AWS runs: databases, tables, the broker, buckets, and
# who may do what with them. Where the services themselves run is not here; see
# deploy/helm for Kubernetes.
#
#   terraform init -backend-config=…    keep the state encrypted: it holds the broker's password
#   terraform plan -var-file=production.tfvars

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.6"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { application = "footway", environment = var.environment }
  }
}
