# `make help` lists the commands. Everything is installed into .venv and theme/node_modules, and
# every result goes to _build: nothing else is written.

PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
JOBS ?= 2
# A recipe that begins with `exec` ends when make is told to end.
RUN := .venv/$(BIN)/python
INSTALL = @exec $(PYTHON) scripts/alone.py _build/install.lock \
  $(MAKE) --no-print-directory -s -j2 -f scripts/install.mk PYTHON="$(PYTHON)"
FORMS = $(wildcard .github/ISSUE_TEMPLATE/*.yml)
# Names of files never become commands.
NOTEBOOKS = find content -name '*.ipynb' -not -path '*/.*' -print0 | xargs -0
LAB_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# What the shell holds for Python, and where pip is to put packages, is for other projects. Where pip
# gets them from stays.
PIP_KEPT := $(addprefix PIP_,INDEX_URL EXTRA_INDEX_URL FIND_LINKS NO_INDEX TRUSTED_HOST CERT \
  CLIENT_CERT PROXY CACHE_DIR NO_CACHE_DIR TIMEOUT DEFAULT_TIMEOUT RETRIES CONFIG_FILE)
unexport $(filter PYTHON%,$(.VARIABLES)) $(filter-out $(PIP_KEPT),$(filter PIP_%,$(.VARIABLES)))
export PYTHONDONTWRITEBYTECODE := 1
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help site pdf test browser lab serve export bench lint format newest audit colab links release clean
.PHONY: reader dev issue

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: reader ## Execute what changed and build the site in _build/html
	@exec $(RUN) -m scripts.build

pdf: export BOOK_PDF := 1
pdf: reader ## The same, and the whole book as a PDF (needs Chromium)
	@exec $(RUN) -m scripts.build

test: dev ## Verify the claims of the book: code, notebooks, site
	@exec $(RUN) -m pytest -n $(JOBS) --dist worksteal

browser: dev ## Test the built site in Chromium
	@$(RUN) -m pytest -m browser -n $(JOBS) --dist loadgroup

lab: reader ## Open the notebooks in JupyterLab
	@exec $(RUN) -m scripts.environment -m jupyterlab \
	  --ServerApp.root_dir=content --LabApp.default_url=/lab/tree/index.md $(LAB_ROOT)

serve: reader ## Preview the site while writing, at the address it prints
	@exec $(RUN) -m scripts.serve

export: reader ## Write what is generated: two modules, cells of the notebooks, the README's links
	@$(RUN) -m scripts.export

bench: dev ## Time the variants of the chapter on cost against PyTorch and other peers
	@$(RUN) -m scripts.bench

lint: dev ## Check the style of code, notebooks, prose and GitHub's files; types
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(NOTEBOOKS) $(RUN) -m nbstripout --keep-id --verify
	@$(RUN) -m pyrefly check --summary=none
	@theme/node_modules/.bin/oxlint -c theme/.oxlintrc.json --deny-warnings theme/static content/play
	@$(RUN) -m codespell_lib
	@$(RUN) -m scripts.export --check
	@$(RUN) -c 'import sys, jactionlint; sys.exit(jactionlint.main())' --profile pedantic --shellcheck= --pyflakes=
	@.venv/$(BIN)/zizmor --offline --quiet --no-progress --pedantic .github
	@$(RUN) -m check_jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	@$(RUN) -m check_jsonschema --quiet --builtin-schema vendor.github-issue-forms $(FORMS)

format: dev ## Format code and notebooks
	@$(RUN) -m ruff check --fix
	@$(RUN) -m ruff format
	@$(NOTEBOOKS) $(RUN) -m nbstripout --keep-id

newest: ## Run the tests with the newest version of every package
	$(INSTALL) newest ENV=_build/newest
	@_build/newest/$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

audit: reader ## Run the notebooks on other instructions, with other threads, from other seeds
	@$(RUN) -m scripts.audit

# COLAB names another file of versions, of another runtime for instance.
COLAB ?= requirements-colab.txt
colab: ## Run the notebooks with the versions of packages that Colab has
	$(INSTALL) colab ENV=_build/colab COLAB="$(COLAB)"
	@$(NOTEBOOKS) -n 1 -P $(JOBS) _build/colab/$(BIN)/python -m scripts.environment \
	  -m jupyter execute --timeout=600

# What needs a login is left out. 403 and 429 say "not for programs", not "gone".
links: site ## Look for dead links to other hosts (online)
	$(INSTALL) links ENV=_build/links
	@_build/links/$(BIN)/lychee --no-progress --index-files index.html \
	  --accept 200..=299,403,429 --exclude '^https://github.com/[^/]+/[^/]+/(edit|issues/new)' \
	  _build/html

release: dev ## Make the release VERSION=x.y.z: versions, tests, commit, tag
	@$(RUN) -m scripts.release "$(VERSION)"

clean: ## Remove the results of all commands (not .venv)
	@rm -rf _build

reader dev:
	$(INSTALL) $@

# In GitHub's weekly workflow: say $BODY in the open issue of this title, or open it.
ISSUE := The weekly check fails
issue:
	@number=$$(gh issue list --state open --limit 1000 --json number,title \
	  --jq '[.[] | select(.title == "$(ISSUE)").number] | min // empty') && \
	if [ -n "$$number" ]; then gh issue comment "$$number" --body "$$BODY"; \
	else gh issue create --title "$(ISSUE)" --body "$$BODY"; fi
