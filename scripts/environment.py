"""The environment of MyST, Jupyter and the notebooks: what they need of the user's, no more.

    python -m scripts.environment -m jupyterlab ...    run this Python with arguments in it

A list of what does harm would never be complete (PYTHONOPTIMIZE switches every assertion off), so
this is a list of what is needed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from scripts.sources import ROOT

# What programs need of the machine and its user. It changes no result.
NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|TERM|SHELL"
    r"|DISPLAY|WAYLAND_DISPLAY|XDG_\w+|BROWSER"  # to open a window in
    r"|LD_LIBRARY_PATH|DYLD_\w+|(HTTPS?|ALL|NO|FTP)_PROXY|SSL_CERT_(FILE|DIR)|\w*_CA_(BUNDLE|CERTS)"
    r"|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|PATHEXT|(LOCAL)?APPDATA|USERPROFILE|HOME(DRIVE|PATH)"
    r"|PROGRAM(DATA|FILES.*)|PROCESSOR_\w+|NUMBER_OF_PROCESSORS|OS|BOOK_(BROWSER|PDF|SITE)",
    re.IGNORECASE,
)
# What may change the results of a notebook: they are part of what its outputs are kept for.
DECISIVE = re.compile(
    r"(BOOK|CUDA|CUDNN|CUBLAS|NVIDIA|NCCL|ROCR|HIP|HSA|MPS|TORCH|PYTORCH|ATEN|DNNL|ONEDNN|OMP|GOMP"
    r"|KMP|MKL|OPENBLAS|BLIS|VECLIB|NUMEXPR|GLOO)_\w+"
)


def decisive() -> dict[str, str]:
    """The user's variables that may change the results of a notebook."""
    found = {name: value for name, value in os.environ.items() if DECISIVE.fullmatch(name)}
    return {name: found[name] for name in sorted(found) if not NEEDED.fullmatch(name)}


def enter(state: Path) -> None:
    """Give this process, and what it starts, the environment of the book, and no other.

    Jupyter and IPython keep their files in `state`.
    """
    state.mkdir(parents=True, exist_ok=True)
    found = environment(state)
    os.environ.clear()
    os.environ.update(found)


def environment(state: Path) -> dict[str, str]:
    """The variables for commands of the book."""
    needed = {name: value for name, value in os.environ.items() if NEEDED.fullmatch(name)}
    bin_folder = str(Path(sys.executable).parent)
    loopback = "localhost,127.0.0.1"
    proxied = ",".join(filter(None, [loopback, needed.get("NO_PROXY"), needed.get("no_proxy")]))
    return (
        needed
        | decisive()
        | {
            # MyST starts the first `python` on PATH for the template.
            "PATH": os.pathsep.join([bin_folder, needed.get("PATH", os.defpath)]),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            "PYTHONHASHSEED": "0",  # or sets of strings come in another order each time
            "JUPYTER_CONFIG_DIR": str(state / "jupyter"),
            "JUPYTER_DATA_DIR": str(state / "jupyter" / "data"),
            "JUPYTER_RUNTIME_DIR": str(state / "jupyter" / "runtime"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(state / "ipython"),
            # Which fonts there are is a matter of the machine, and takes seconds to find out.
            "MPLCONFIGDIR": str(Path(sys.prefix) / "matplotlib"),
            # MyST would name our copy of the sources where it asks git.
            "GIT_CEILING_DIRECTORIES": str(ROOT),
            "NO_PROXY": proxied,
            "no_proxy": proxied,
        }
    )


def warm_up() -> None:
    """Let matplotlib look for fonts once, so that no notebook says on its page that it does."""
    if not list(Path(os.environ["MPLCONFIGDIR"]).glob("fontlist-*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, check=False, capture_output=True)


if __name__ == "__main__":
    own = {name: value for name, value in os.environ.items() if name.startswith("JUPYTER")}
    enter(ROOT / "_build" / "state")
    # What the user has set for JupyterLab itself: its settings and where it keeps them.
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        del os.environ[name]
        os.environ.update({name: own[name]} if name in own else {})
    os.environ["JUPYTER_CONFIG_PATH"] = str(ROOT / "scripts" / "jupyter")
    command = [sys.executable, *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)  # what ends this process ends the command
