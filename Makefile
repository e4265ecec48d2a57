# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo demo-down test test-fast test-all test-clients test-pages test-machines molecule bench faults conformance docs lint check clean

PYTEST := .venv/bin/python -m pytest
# Much of these tests is waiting, as Azure makes its clients wait: four of them side by side.
FAST := -n 4 --dist loadfile -m "not machines and not browser and not install" tests/unit tests/control_plane azlab/tests tests/faults tests/bench tests/awx
# Each file has a lab of its own here too; the longest come first, so that both end at about the same time.
MARK ?= machines
MACHINES := -n 2 --dist loadfile --no-loadscope-reorder -m "$(MARK)" tests/daytwo tests/integration tests/awx azlab/tests tests/clients tests/apps
# Each file has a lab of its own, and much of a client's time is waiting for operations.
CLIENTS := -n 3 --dist loadfile -m "clients and not machines" tests/clients
# Pages in a browser, the wheel in an environment of its own, the examples as they stand.
PAGES := -n 2 --dist loadfile -m "browser or install or examples" tests/examples azlab/tests tests/daytwo

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

demo:            ## start azlab, run the site playbook on it, print the report
	@scripts/setup machines
	@scripts/demo up

demo-down:       ## run the teardown playbook, prove that nothing is left, stop the lab
	@scripts/setup machines
	@scripts/demo down

test-fast:       ## unit tests and control-plane tests, without machines
	@scripts/setup control
	$(PYTEST) -q $(FAST)

test:            ## all of test-fast, then the end-to-end test on real machines
	@scripts/setup machines
	$(PYTEST) -q $(FAST)
	$(PYTEST) -v tests/e2e

test-clients:    ## other people's clients of Azure, unchanged, on azlab without machines
	@scripts/setup control
	$(PYTEST) -v $(CLIENTS)

test-pages:      ## the pages in a browser, the wheel, the examples as they stand
	@scripts/setup all
	$(PYTEST) -v $(PAGES)

test-machines:   ## modules, roles, playbooks and images on real machines
	@scripts/setup machines
	$(PYTEST) -v $(MACHINES)

test-all:        ## what is not in test: lint, sanity, documentation checks, clients, the page, all faults, machines, roles, images and molecule
	@scripts/setup all
	@scripts/check
	@$(MAKE) --no-print-directory test-clients test-pages
	@.venv/bin/python tests/faults/run.py
	AZLAB_EXAMPLES=2000 $(PYTEST) -q azlab/tests/test_bad_requests.py
	@$(MAKE) --no-print-directory test-machines molecule

molecule:        ## the roles' molecule scenarios on hosts of azlab: make molecule [SCENARIO=docker]
	@scripts/setup machines
	@scripts/molecule $(SCENARIO)

bench:           ## one benchmark: make bench CASE=nochange HOSTS=100 [ENGINE=scale_set] [SCALE=0.1] [THROTTLE=1] [PEERS=az|azcollection|all]
	@scripts/setup $(if $(filter role_% docker_ready,$(CASE)),machines,control)
	@.venv/bin/python tests/bench/run.py --case $(or $(CASE),create) --hosts $(or $(HOSTS),100) --scale $(or $(SCALE),1) --peers $(or $(PEERS),none) $(if $(ENGINE),--engine $(ENGINE)) $(if $(THROTTLE),--throttle)

faults:          ## the fault suite: make faults [CASE=create]; WRITE=1 puts the table into docs/reliability.md
	@scripts/setup control
	@.venv/bin/python tests/faults/run.py --case $(or $(CASE),all) $(if $(WRITE),--write)

conformance:     ## replay recorded ARM traffic against azlab: make conformance RECORDINGS=folder
	@scripts/setup control
	@.venv/bin/python -m azlab.conformance $(or $(RECORDINGS),$(error name the folder of recordings: make conformance RECORDINGS=folder))

docs:            ## the documentation site, in .work/docs/html
	@scripts/setup control
	@scripts/check site

lint:            ## ansible-lint and yamllint alone
	@scripts/setup control
	@scripts/check lint

check:           ## lint, ansible-test sanity on the lowest and the newest ansible-core, documentation checks
	@scripts/setup control
	@scripts/check

clean:           ## remove what make built here (.venv, .work); the lab is removed by demo-down
	rm -rf .venv .work
