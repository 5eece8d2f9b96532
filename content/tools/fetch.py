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
# ruff: noqa: E501
# The files of content/ that notebooks use, and their SHA-256.
FILES: dict[str, str] = {
    "mlp/bench.csv": "29e2114818d84e27b151cc2eb07116faf9cc76ca81020f2f6d47857d18afa9e4",
    "mlp/cards.csv": "0e8f415d882b87392e503f30615568076a6d7b09b6d5806bedd3cd07d5f5a178",
    "mlp/claims.csv": "7a5fcd88f0919cbcdb981763fa35b8bf4707580b5d8c4e4c69763b9303393365",
    "mlp/machines.csv": "b11f9e97eaf1f518afcb358653e26af6076bb6bd5ab3325ef964d8986bff2365",
    "play/bend.mjs": "a06a20fb5dee1c5b868bc4114c55b6fdfcb2ccfcdad635a56dd94d701b477c18",
    "play/net.mjs": "d2890430b7d8608343dbdb6d4ed1d398826a9ecf136555175b8df6263aa61cdc",
    "play/network.mjs": "753fb1090517104be1c0dd90dcd81c3c7114052987c542cdabdfdfa634454aed",
    "play/paper.mjs": "0854acf95143186709204432e3aef20b799bc09af29686c79c9d357fdf26c803",
    "play/parts.mjs": "a876ea62d3cdff0192242ff6a2db797fc002a03a3f959857f09c42378df5dc68",
    "play/random.mjs": "21deddeadf46da3e9de2b66d9f86ee163d0a26d6e15efd67d42d2901b9094df5",
    "play/samples.mjs": "60bb4ccf7301ad4b1ad93ea05d22fb4232ea37349437bee277221d98537e69cc",
    "play/softmax.mjs": "442c7bcee8ac6433d1b3cd3f7bfb48838e0e21b4caa87da1c2b70d11674bbf9d",
    "play/valley.mjs": "760605a4c7865d2e5cc3af65959bfe1115513784978e91eea9f536d6edb1cfa2",
    "tools/__init__.py": "6202af520d0f7ffec189f628b476b47c394aae0195d8a5cf09b093f89da6cc02",
    "tools/arrays.py": "564f4c03e323708a1ec8320637db07ab5a02511f28f0d85c96349f0b1ea73266",
    "tools/checks.py": "a5a69b650ca06ea628ec27859e6127c41aafc457867f6644c05baa4b4f2313a5",
    "tools/devices.py": "511b34ae035d79fbd0d398f6bc420824522fce30b26f793eebfd46eb5eff454e",
    "tools/exercises.py": "b91e097dce79578b6453084d5afa4dcdbe889375ef46610d4fbb6a1f89523b15",
    "tools/exercises_evidence.py": "a78a042dab51df75d00e442424b753740f74befa9202ca91c72a12a45a78defc",
    "tools/exercises_training.py": "6b6de20c062f48b109ab5f47f95d2adce8179fafa20e0877071bb1a668da4510",
    "tools/figures.py": "9fe538760c9748cbd5d9598a795ae0b1b0752bc1687be55d546354082a2fbc72",
    "tools/network.py": "250c4c9f96802f984730158fb2a7fb7afc0e88288ae88183016e5bd9c67eca30",
    "tools/peers.py": "28b50d308dc51237005febc09197f376132aabf8a8afb1ac7324278c42f70bb2",
    "tools/play.py": "c840ce76ff72a95f8230d3723991de0e051ab171abdc19e8ff6394354249dbe9",
    "tools/prepared.py": "e829f5380a72eadd209f761d35114754ef1b15c3114495c54372fbf75f205825",
    "tools/reference.py": "bab832f47baa59313a2c6b16b88109a6c999578825ad4706df7e953fbde902ee",
    "tools/sanity.py": "5e143cd833a17827a9290c34c1c5fa086677954925105648d4e254cdfa75df65",
    "tools/timing.py": "30778ad8d8c4c32fd1078797c9ec0a35f65e746bba62168999b20166245208ac",
    "tools/torch_heads/__init__.py": "75c0a0a033d715c65dc9e1603f132079a95e2e71970f63350c5801a11d1e5a61",
    "tools/torch_heads/judge.py": "4152a5f353551af1466c9f94d1dd5f7c8d0497383f1a7fdbbf7c0ed88b0a0d5b",
    "tools/torch_heads/rules.py": "08d9f484b9ea4b87cb78f80f81fa739d386a7cbb1082e619100439b26f3705db",
    "tools/torch_heads/runtime.py": "cfdff526adcfb2a49c943beadb9936f1fbf92d85e68fae2c11cecf7cbb457787",
    "tools/torch_metrics.py": "20a2641b5720fc95950fd47115b30b4a12ce364e6d5db3afa10529732e8ab761",
    "tools/torch_mlp.py": "36af35396cfbdcf738f2280f4ccddd5c631cac34ad17c8e15cbf868c8e94db5a",
    "tools/torch_training.py": "020549985d48e9871725b1137b41697be8b3dbc385e7b834c726d3499ba76e21",
    "tools/watch.py": "018a380244443fa58690fab633577e46c126a8f6fd84e162c16b1403c9cf91e4",
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
