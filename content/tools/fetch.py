"""Fetch the book's files for a notebook that is alone in a folder, as in Colab.

A notebook's set-up cell takes this file by its SHA-256 and runs it; nothing else uses it. The table
of files is written by `make export`.
"""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.request
from concurrent.futures import Future
from pathlib import Path
from urllib.error import HTTPError

FOLDER = "inside-deep-learning-modules"
LIMIT = 60  # seconds for one file, however slowly it comes
RELEASE = "v0.1.0"
# The files of content/ that notebooks use, and their SHA-256.
FILES: dict[str, str] = {
    "mlp/data_parallel.py": "377d8487a04c7e43b9079814c90897aaec8ba6ebe6540c64bc5641094d14af7b",
    "tools/__init__.py": "6202af520d0f7ffec189f628b476b47c394aae0195d8a5cf09b093f89da6cc02",
    "tools/checks.py": "c1355398df5762304c19a87bd2f384063b01bd95530a6a7e423b784a10f6fa9a",
    "tools/devices.py": "511b34ae035d79fbd0d398f6bc420824522fce30b26f793eebfd46eb5eff454e",
    "tools/exercises.py": "c27d66e4029479c5c72450df2ab2b019fd2abc9c331521ac2fc2e235c0d910f8",
    "tools/figures.py": "f7d1a68d03c1393127ff062cc1fa2d2e6a3999ef2539a43c62d5f92874a06c01",
    "tools/torch_heads.py": "e4909ca7d449c33e9516632610866abc8e30d48aab53ca39ca5eab373d8f5169",
    "tools/torch_metrics.py": "cd3fbe429ba4bdee643ec8957e4631ea1ccc94a42fccc9ff7c43ae7aea9b966f",
    "tools/torch_mlp.py": "94f87c27bcc73d0d4180b9dd384d7fba7c4296e9771ef82d0dc6c10b7eec2bb7",
}


def fetch(code: bytes, source: str, names: str) -> Path:
    """Put files of content/, and this one, into FOLDER; those that are there already stay.

    Args:
        code: the bytes of this file.
        source: the address of the repository, or of a mirror: a folder for each version.
        names: the paths of the wanted files in content/, separated by spaces.

    Returns:
        FOLDER, in the working directory.

    Raises:
        RuntimeError: a file cannot be reached, is not there, or is not the one that this was
            written for; a file in FOLDER has been changed; FOLDER cannot be written.
    """
    folder = Path.cwd() / FOLDER
    fetched = {"tools/fetch.py": code}
    for name in names.split():
        try:
            kept = (folder / name).read_bytes()
        except OSError:
            fetched[name] = _wanted(source, name)
            continue
        if _sha256(kept) != FILES[name]:
            raise RuntimeError(
                f"{folder / name} has changed, or is from another version of the book: "
                "move it away, and run this cell again."
            )
    try:  # all of them are here and verified: only now is anything written
        for name, data in fetched.items():
            _write(folder / name, data)
    except OSError as error:
        raise RuntimeError(
            f"{folder} cannot be written ({error}): run this notebook in a folder of your own."
        ) from None
    return folder


def _wanted(source: str, name: str) -> bytes:
    """The file of the release, or of the main branch: the notebook may be newer than a release."""
    problem = ""
    for version in (RELEASE, "HEAD"):
        address = f"{source}/{version}/content/{name}"
        try:
            data = _download(address)
        except Exception as error:
            if not isinstance(error, HTTPError) or error.code != 404:
                raise RuntimeError(
                    f"{address} cannot be reached ({error}): check the connection, "
                    "or run this notebook in a clone of the book's repository."
                ) from None
            problem = f"{address} was not found"
        else:
            if _sha256(data) == FILES[name]:
                return data
            problem = f"{address} is not the file that this notebook was written with"
    raise RuntimeError(f"{problem}: open this notebook again from the book's page.")


def _download(address: str) -> bytes:
    """The bytes at an address. Raises whatever goes wrong, and TimeoutError after LIMIT seconds."""
    answer: Future[bytes] = Future()

    def read() -> None:
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                answer.set_result(response.read())
        except HTTPError as error:
            error.close()
            answer.set_exception(error)
        except Exception as error:
            answer.set_exception(error)

    # A server that sends a byte now and then never exceeds the timeout of a connection.
    threading.Thread(target=read, daemon=True).start()
    try:
        return answer.result(LIMIT)
    except TimeoutError:
        raise TimeoutError(f"no answer within {LIMIT} s") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; other notebooks may be writing the same one."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
