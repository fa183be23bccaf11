# Footway. `make help` lists the targets; .ci/run calls `make test`.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Tools, by version, built into .cache/bin.
GOLANGCI_LINT_VERSION := v2.15.0
TOXIPROXY_VERSION     := v2.12.0
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_GO_GRPC_VERSION := v1.6.2

GO       ?= go
BIN      := bin
TOOLS    := $(CURDIR)/.cache/bin
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
TOXIPROXY := $(TOOLS)/toxiproxy-server-$(TOXIPROXY_VERSION)
CODE     := ./core/... ./sim/... ./adapters/... ./cmd/stores ./cmd/twin

# How long to look for counterexamples, per fuzz target.
FUZZTIME ?= 1m
# How many packages are tested at once. Their tests share one set of servers, and
# some start more, so this does not grow with the machine.
TESTFLAGS ?= -p 2
# Which benchmarks, and anything else for `go test -bench`.
BENCH      ?= .
BENCHFLAGS ?=

# The race detector needs cgo, and so a C compiler. Without it the tests run
# all the same, and say so; under CI=true that is a failure.
have_cc = $(shell command -v $$($(GO) env CC | cut -d' ' -f1) >/dev/null && test "$$($(GO) env CGO_ENABLED)" = 1 && echo yes)

say = @printf '\n== %s\n' $(1)

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: twin-wasm ## Build bin/footway, with the visualizer for browsers in it
	@mkdir -p $(BIN)
	$(GO) build -tags twin -o $(BIN)/footway ./cmd/footway

# The program that browsers load, and the loader of the Go that built it. It is
# built again when a source of it is newer: WebAssembly takes a while, and compressing it too.
TWIN      := cmd/web/built
TWIN_SRC   = $(shell find cmd/footway-view cmd/twin cmd/stores cmd/web/pack adapters/live adapters/memory adapters/yamlfile adapters/zstd core sim scenarios visualizer go.mod -name '*.go' ! -name '*_test.go' -o -name '*.yaml' -path 'scenarios/*' -o -name go.mod)

.PHONY: twin-wasm
twin-wasm: $(TWIN)/footway.wasm.br ## Build the visualizer for browsers, which bin/footway serves at /twin

$(TWIN)/footway.wasm.br: $(TWIN_SRC)
	@mkdir -p $(TWIN)
	cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" $(TWIN)/
	CGO_ENABLED=0 GOOS=js GOARCH=wasm $(GO) build -trimpath -ldflags '-s -w' -o $(TWIN)/footway.wasm ./cmd/footway-view
	$(GO) run ./cmd/web/pack $(TWIN)/footway.wasm
	@rm $(TWIN)/footway.wasm

.PHONY: view
view: ## Build bin/footway-view, the visualizer's window (wants Go alone; to run, a display)
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -o $(BIN)/footway-view ./cmd/footway-view

.PHONY: run
run: ## All of Footway in one process, on http://localhost:8080: an invented city, robots, orders and pages
	@mkdir -p $(BIN) $(TWIN) out
	$(GO) build -o $(BIN)/footway ./cmd/footway
	@# Nobody waits for the visualizer: it is built behind the demo, which shows it once it is there.
	@$(MAKE) --no-print-directory twin-wasm > out/twin.log 2>&1 & twin=$$!; trap "kill $$twin 2> /dev/null || true" EXIT; \
	  $(BIN)/footway demo --twin $(TWIN)

.PHONY: lunch
lunch: build ## Run a lunch rush in the generated city: table, log and report in out/lunch-rush
	$(BIN)/footway run scenarios/lunch-rush.yaml --out out/lunch-rush

.PHONY: backends
backends: backends-install build-backends ## Keep PostgreSQL, RabbitMQ and dynalite running, and say how to use them
	@echo "copy the export lines into another terminal, and run go test there"
	@$(BIN)/backends

##@ Check

TEST_PARTS := fmt-check vet detlint backends-install partners-install unit scenarios tidy-check

.PHONY: test
test: ## What CI runs: format, vet, determinism, tests with -race and real servers, scenarios twice
	@took=; for part in $(TEST_PARTS); do \
	  start=$$SECONDS; $(MAKE) --no-print-directory $$part; \
	  took+=$$(printf '%5d s  %s' $$((SECONDS - start)) $$part)$$'\n'; \
	done; \
	printf '\n%s%5d s  in all\n' "$$took" $$SECONDS
	@grep -h '^NOT RUN' out/unit.log || true
	@printf '\n== make test: all passed%s\n' "$$(grep -q '^NOT RUN' out/unit.log && echo ' -- except what is NOT RUN, above')"

.PHONY: check
check: test lint arm64 ## make test, the linters, arm64, and every fuzz target for 10 s
	@$(MAKE) --no-print-directory fuzz FUZZTIME=10s
	@printf '\n== make check: all passed%s\n' "$$(grep -q '^NOT RUN' out/unit.log && echo ' -- except what is NOT RUN, as make test says')"

.PHONY: fmt-check
fmt-check: ## Every Go file is as gofmt writes it
	$(call say,'gofmt')
	@bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted, run gofmt -w on:"; echo "$$bad"; exit 1; }

.PHONY: vet
vet: ## go vet
	$(call say,'go vet')
	$(GO) vet ./...

.PHONY: detlint
detlint: ## core and sim do nothing that two runs could do differently
	$(call say,'detlint')
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/detlint ./cmd/detlint
	$(GO) vet -vettool=$(CURDIR)/$(BIN)/detlint ./core/... ./sim/...

# These have a dozen processes, or browsers, of their own, and robots that live many times
# faster wait for them: one after the other, without the race detector.
ALONE := cmd/system cmd/demo cmd/footway-view

# What the servers and the tests' conditions are goes to out/unit.log too, for
# the last lines of make test.
# The clients of partners, which are tried against the door.
SDK := adapters/integrations/testdata/npm

.PHONY: partners-install
partners-install: ## Install the npm clients that partners use, where the machine has npm
	@if ! command -v npm >/dev/null; then echo "NOT RUN: partners-install (no npm)"; \
	elif ! cmp -s $(SDK)/package-lock.json .cache/partners/package-lock.json; then \
	  mkdir -p .cache/partners; cp $(SDK)/package.json $(SDK)/package-lock.json .cache/partners/; \
	  (cd .cache/partners && npm ci --no-audit --no-fund --loglevel=error) || { rm -f .cache/partners/package-lock.json; echo "NOT RUN: partners-install (npm ci failed)"; }; \
	fi

.PHONY: unit
unit: backends-install partners-install build-backends ## All tests, with the race detector and real servers; the dependency rule is one of them
	$(call say,'go test')
ifeq ($(CI),true)
	@test -n '$(have_cc)' || { echo "CI=true, and the race detector cannot run: want a C compiler and CGO_ENABLED=1"; exit 1; }
endif
	@mkdir -p out
	@test -n '$(have_cc)' && : > out/unit.log || echo "NOT RUN: the race detector (no C compiler, or CGO_ENABLED=0)" | tee out/unit.log
	$(BIN)/backends -- $(GO) test -count=1 $(if $(have_cc),-race) $(TESTFLAGS) -timeout 10m $$($(GO) list ./... | grep -v $(foreach d,$(ALONE),-e /$(d)$$)) 2> >(tee -a out/unit.log >&2)
	$(BIN)/backends -- $(GO) test -count=1 -p 1 -timeout 15m $(addprefix ./,$(ALONE)) 2> >(tee -a out/unit.log >&2)

.PHONY: build-backends
build-backends:
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/backends ./cmd/backends

# Quick when everything is there. What it cannot install it says, and the tests
# that want it are not run; under CI=true it fails.
.PHONY: backends-install
backends-install: $(TOXIPROXY) ## Install what the tests' servers need, where the machine allows it
	@deploy/backends-install

$(TOXIPROXY):
	$(call say,'toxiproxy')
	@mkdir -p $(TOOLS)/.toxiproxy
	GOBIN=$(TOOLS)/.toxiproxy GOFLAGS= $(GO) install github.com/Shopify/toxiproxy/v2/cmd/server@$(TOXIPROXY_VERSION)
	@mv $(TOOLS)/.toxiproxy/server $@ && rmdir $(TOOLS)/.toxiproxy

# Every scenario on one core and on two: the same hashes, or the runs depend
# on something that is not in the scenario.
.PHONY: scenarios
scenarios: build ## Every scenario meets its outcomes, and has the same hash twice
	$(call say,'scenarios')
	@mkdir -p out
	GOMAXPROCS=1 $(BIN)/footway test --json scenarios/ > out/scenarios-1.json
	GOMAXPROCS=2 $(BIN)/footway test --json scenarios/ > out/scenarios-2.json
	@for i in 1 2; do \
	  grep -oE '"hash": *"[^"]+"' out/scenarios-$$i.json > out/scenarios-$$i.hashes \
	    || { echo "out/scenarios-$$i.json names no hash: nothing was compared"; exit 1; }; \
	done
	@diff out/scenarios-1.hashes out/scenarios-2.hashes \
	  || { echo "the same scenarios ended in other hashes: compare out/scenarios-1.json and out/scenarios-2.json"; exit 1; }
	@echo "$$(wc -l < out/scenarios-1.hashes) hashes, equal with GOMAXPROCS=1 and 2"

# The same bytes on another processor. qemu-aarch64 (Debian: qemu-user-static) runs the program.
qemu = $(shell command -v qemu-aarch64-static qemu-aarch64 | head -n 1)

.PHONY: arm64
arm64: build ## One scenario ends in the same hash on arm64, under qemu
	$(call say,'arm64')
	@if test -z '$(qemu)'; then echo "NOT RUN: arm64 (no qemu-aarch64; Debian has it in qemu-user-static)"; exit 0; fi; \
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -o $(BIN)/footway-arm64 ./cmd/footway; \
	here=$$($(BIN)/footway run lunch-rush --json 2>/dev/null | grep -oE '"hash": *"[^"]+"'); \
	there=$$($(qemu) $(BIN)/footway-arm64 run lunch-rush --json 2>/dev/null | grep -oE '"hash": *"[^"]+"'); \
	test "$$here" = "$$there" || { echo "here $$here, on arm64 $$there"; exit 1; }; \
	echo "the same on both: $$here"

.PHONY: tidy-check
tidy-check: ## go.mod and go.sum name what is imported, no more
	$(call say,'go mod tidy -diff')
	$(GO) mod tidy -diff

.PHONY: lint
lint: $(GOLANGCI) ## golangci-lint (the first time it takes minutes to build)
	$(call say,'golangci-lint')
	$(GOLANGCI) run ./...

$(GOLANGCI):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

.PHONY: deploy-check
deploy-check: ## Chart, alerts, Terraform, compose and image, with the tools that read them (built the first time)
	@deploy/check

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (1m): make fuzz FUZZTIME=10m
	$(call say,'fuzz targets for $(FUZZTIME) each')
	@targets=$$(grep -rHoE --include='*_test.go' --exclude-dir=testdata '^func Fuzz[A-Za-z0-9_]+' . | sed 's/func //' | sort); \
	test -n "$$targets" || { echo "found no fuzz target"; exit 1; }; \
	while IFS=: read -r file name; do \
	  echo "-- $$(dirname "$$file") $$name"; \
	  $(GO) test -run '^$$' -fuzzminimizetime 100x -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	done <<< "$$targets"; \
	echo "$$(wc -l <<< "$$targets") fuzz targets, nothing found"

.PHONY: bench
bench: backends-install build-backends ## Benchmarks, to the terminal and out/bench.txt: make bench BENCH=Kernel
	@mkdir -p out
	$(BIN)/backends -- $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(BENCHFLAGS) $(CODE) ./visualizer/... ./cmd/footway-view | tee out/bench.txt

.PHONY: proto
proto: ## Generate adapters/grpcapi/footwayv1 from its .proto files (wants protoc)
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
	GOBIN=$(TOOLS) $(GO) install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC_VERSION)
	PATH=$(TOOLS):$$PATH adapters/grpcapi/generate.sh

##@ Tidy up

.PHONY: clean
clean: ## Remove what make made, but not the tools
	rm -rf $(BIN) out
