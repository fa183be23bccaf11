#!/usr/bin/env bash
# Writes the Go code of the protos into DIR (default: where it is committed).
# Wants protoc, protoc-gen-go and protoc-gen-go-grpc on the path.
set -euo pipefail
cd "$(dirname "$0")"
dir=${1:-footwayv1}
mkdir -p "$dir"
protoc -I proto \
  --go_out="$dir" --go_opt=module=footway/adapters/grpcapi/footwayv1 \
  --go-grpc_out="$dir" --go-grpc_opt=module=footway/adapters/grpcapi/footwayv1 \
  proto/footway/v1/*.proto
