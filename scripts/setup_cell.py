# @title Find the book's modules
import hashlib
import os
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

REPOSITORY = "https://raw.githubusercontent.com/OWNER/NAME"
RELEASE = "v0.0.0"
# The files of the book's folder content/ that this notebook uses, and their SHA-256.
MODULES: dict[str, str] = {}


def fetch(name: str, sha256: str) -> bytes:
    """A file of content/, from the repository or the mirror in BOOK_SOURCE, and no other bytes."""
    base = os.environ.get("BOOK_SOURCE") or REPOSITORY
    problem = ""
    for version in (RELEASE, "HEAD"):  # this notebook may be newer than the release
        address = f"{base}/{version}/content/{name}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                data = answer.read()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
            problem = f"{address} is not the file that this notebook was written with"
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, HTTPError):
                error.close()
            if getattr(error, "code", None) != 404:
                raise RuntimeError(
                    f"{address} cannot be reached ({error}): check the connection, "
                    "or run this notebook in a clone of the book's repository."
                ) from None
            problem = f"{address} was not found"
    raise RuntimeError(f"{problem}: open this notebook again from the book's page.")


def find_modules() -> Path:
    """The folder content/ of the clone around this notebook, or a new one with MODULES in it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "content" / "tools" / "torch_metrics.py").is_file():
            return folder / "content"
    folder, fetched = here / "inside-deep-learning-modules", {}
    for name, sha256 in MODULES.items():
        if not (folder / name).exists():
            fetched[name] = fetch(name, sha256)
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
            raise RuntimeError(
                f"{folder / name} has changed, or is from another version of the book: "
                "move it away, and run this cell again."
            )
    try:  # all of them are here and verified: only now is anything written
        for name, data in fetched.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            partial = (folder / name).with_suffix(".partial")
            partial.write_bytes(data)
            os.replace(partial, folder / name)
    except OSError as error:
        raise RuntimeError(
            f"{folder} cannot be written ({error}): run this notebook in a folder of your own."
        ) from None
    return folder


CONTENT = find_modules()
sys.path.insert(0, str(CONTENT))
