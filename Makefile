# `make help` lists the commands. Everything is installed into .venv and theme/node_modules, and
# every result goes to _build: nothing else is written.

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  PROGRAMS := Scripts
else
  PYTHON ?= python3
  PROGRAMS := bin
endif
JOBS ?= 2
# An environment's programs come first on PATH, whichever is active; text is UTF-8 everywhere.
in = PATH="$$PWD/$(1)/$(PROGRAMS):$$PATH" PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1
RUN := $(call in,.venv)
NOTEBOOKS = $(shell find content -name '*.ipynb' -not -path '*/.*')
FORMS = $(wildcard .github/ISSUE_TEMPLATE/*.yml)
LAB_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help site pdf test browser lab serve export bench lint format newest colab links release clean
.PHONY: reader dev issue

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: reader ## Execute what changed and build the site in _build/html
	@$(RUN) python scripts/build.py

pdf: reader ## The same, and the whole book as a PDF (takes Chromium)
	@$(RUN) BOOK_PDF=1 python scripts/build.py

test: dev ## Verify the claims of the book: code, notebooks, site
	@$(RUN) python -m pytest -n $(JOBS) --dist worksteal

browser: dev ## Look at the built site in Chromium
	@$(RUN) python -m pytest -m browser -n $(JOBS) --dist loadfile

lab: reader ## Open the notebooks in JupyterLab
	@$(RUN) JUPYTER_CONFIG_PATH="$(CURDIR)/scripts/jupyter" jupyter lab \
	  --ServerApp.root_dir=content --LabApp.default_url=/lab/tree/index.md $(LAB_ROOT)

serve: reader ## Preview the site while writing, at the address it prints
	@$(RUN) python scripts/run.py jupyter book start --execute

export: reader ## Write content/tools/torch_mlp.py from the notebooks
	@$(RUN) python scripts/export.py

bench: reader ## Time the variants against PyTorch and other peers
	@$(RUN) python scripts/bench.py

lint: dev ## Check the form of code, notebooks, prose and GitHub's files
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) nbstripout --keep-id --verify $(NOTEBOOKS)
	@$(RUN) codespell
	@$(RUN) python scripts/export.py --check
	@$(RUN) jactionlint --profile pedantic --shellcheck= --pyflakes=
	@$(RUN) zizmor --offline --quiet --no-progress --pedantic .github
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(FORMS)

format: dev ## Bring code and notebooks into form
	@$(RUN) ruff check --fix
	@$(RUN) ruff format
	@$(RUN) nbstripout --keep-id $(NOTEBOOKS)

newest: ## Run the tests with the newest version of every package
	@$(PYTHON) scripts/install.py newest
	@$(call in,_build/newest) python -m pytest -n $(JOBS) --dist worksteal

# COLAB names another file of versions, of another runtime for instance.
COLAB ?= requirements-colab.txt
colab: ## Run the notebooks with the versions of packages that Colab has
	@$(PYTHON) scripts/install.py colab $(COLAB)
	@echo $(NOTEBOOKS) | $(call in,_build/colab) xargs -n 1 -P $(JOBS) \
	  python scripts/run.py jupyter execute --timeout=600

# What needs a login is left out. 403 and 429 say "not for programs", not "gone".
links: site ## Look for dead links to other hosts (online)
	@$(PYTHON) scripts/install.py links
	@$(call in,_build/links) lychee --no-progress --index-files index.html \
	  --accept 200..=299,403,429 --exclude '^https://github.com/[^/]+/[^/]+/(edit|issues/new)' \
	  _build/html

release: dev ## Make the release VERSION=x.y.z: versions, tests, commit, tag
	@$(RUN) python scripts/release.py "$(VERSION)"

clean: ## Remove the results of all commands (not .venv)
	@rm -rf _build

reader:
	@$(PYTHON) scripts/install.py reader

dev: reader
	@$(PYTHON) scripts/install.py dev

# In GitHub's weekly workflow: tell the maintainers which jobs failed.
issue:
	@$(PYTHON) scripts/weekly_issue.py
