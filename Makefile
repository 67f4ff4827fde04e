# SPDX-License-Identifier: Apache-2.0
# A thin front for the scripts under Scripts/. A target calls what it needs; doing it twice costs nothing.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: deps demo up down build release install deb test check fmt fuzz bench proof docs samples db db-up db-down clean help

# Set here, so that a variable of the same name in the environment means nothing; `make NAME=...` still does.
NAME =
TARGET =
SECONDS = 60
COUNT = 300
RARE =
FOLDER = .build/samples
PREFIX = /usr/local
DESTDIR =

deps: ## Install what building and testing need and this machine lacks
	@bash Scripts/deps test

demo: ## Show everything at work on this machine, and check it; takes some minutes the first time
	@bash Scripts/demo

up: ## Keep a database, a control-server and two data-servers running in .run/servers
	@bash Scripts/up start

down: ## End them; what they know stays
	@bash Scripts/up stop

build: ## Build everything, tests too
	@bash Scripts/build debug

release: ## Build everything optimised
	@bash Scripts/build release

install: ## Install programs that need no Swift, samples of settings and units [PREFIX=/usr/local] [DESTDIR=]
	@bash Scripts/install '$(PREFIX)' '$(DESTDIR)'

deb: ## Make Debian packages in .build/deb: signet, signet-data-server, signet-control-server
	@bash Scripts/deb

test: ## Run the suite [ROOMS=Bytes,HTTP] [FILTER=regex] [SANITIZE=thread|address] [STRICT=1: a skip is a failure]
	@bash Scripts/test

check: ## Judge the form: formatting, imports, licence lines, length, shell scripts
	@bash Scripts/check

fmt: ## Format all Swift files
	@bash Scripts/fmt

fuzz: ## Feed the parsers with invented input [TARGET=name] [SECONDS=60, for each]
	@bash Scripts/fuzz '$(TARGET)' '$(SECONDS)'

bench: ## Measure, one JSON object a line on stdout [NAME=prefix]
	@bash Scripts/bench '$(NAME)'

proof: ## Run the full counts: the suite with SIGNET_PROOF=1, then the fuzzing of each parser [SECONDS=60]
	@bash Scripts/proof '$(SECONDS)'

docs: ## Make docs/reference again from the code
	@bash Scripts/docs

samples: ## Write unsigned packages of realistic sizes [FOLDER=.build/samples] [COUNT=300] [RARE="many-files large"]
	@bash Scripts/samples '$(FOLDER)' '$(COUNT)' '$(RARE)'

db: ## Open a client on the private database, which is started when it is not up
	@bash Scripts/db shell

db-up: ## Start a private MariaDB for this checkout under .run/db
	@bash Scripts/db up

db-down: ## Stop it; its data stays
	@bash Scripts/db down

clean: ## Stop the private database and remove .build and .run
	@bash Scripts/clean

help: ## Say what each target does
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '  %-9s %s\n' "$$name" "$$text"; done
