"""Data-parallel training: equal to one process, and a clear end when a partner is gone."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[2] / "content" / "mlp" / "data_parallel.py"
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
# NCCL, the library of graphics cards, has its own way to end a process whose partner is gone.
NO_CARDS = {"CUDA_VISIBLE_DEVICES": ""}
FOREVER = 10**9

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sends Linux signals")
sys.path.insert(0, str(SCRIPT.parent))
import data_parallel  # noqa: E402

from tools.torch_mlp import SGD  # noqa: E402


@pytest.fixture
def start():
    """Starts processes, and ends them and their children after the test."""
    started = []

    def launch(command, **variables):
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=ENVIRONMENT | {name: str(value) for name, value in variables.items()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        try:
            family = [process, *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            family = [process]
        for member in family:
            if member.poll() is None if member is process else member.is_running():
                member.kill()
        process.communicate()


def torchrun(processes, *arguments):
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}",
            SCRIPT, *arguments]  # fmt: skip


def two_ranks(start, *arguments):
    """Two partners without torchrun, which would end the second as soon as the first is gone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [
        start([SCRIPT, *arguments], RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, LOCAL_WORLD_SIZE=2,
              MASTER_ADDR="127.0.0.1", MASTER_PORT=port, **NO_CARDS)
        for rank in range(2)
    ]  # fmt: skip


def wait_until_they_talk(pids, ends, limit=60):
    """Returns when two processes have had so many ends of connections to each other for a while."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        here, there = set(), set()
        for pid in pids():
            for connection in psutil.Process(pid).net_connections(kind="tcp"):
                if connection.raddr and connection.status == psutil.CONN_ESTABLISHED:
                    here.add((pid, connection.laddr.port))
                    there.add((pid, connection.raddr.port))
        ports = {port: pid for pid, port in here}
        if sum(ports.get(port, pid) != pid for pid, port in there) >= ends:
            time.sleep(0.5)
            return
        time.sleep(0.1)
    pytest.fail("the processes never talked")


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_equal_to_one_process(processes, start, tmp_path):
    process = start(torchrun(processes, tmp_path / "result.pt", 8))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    result = torch.load(tmp_path / "result.pt", map_location="cpu", weights_only=True)

    model, xs, ys = data_parallel.task("cpu")
    assert len(xs[-1]) == 1 and len(xs[0]) % 2 == 1  # shares differ, and some are empty
    before = [p.clone() for p in model.parameters()]
    history = model.fit(torch.cat(xs), torch.cat(ys), epochs=8, batch_size=data_parallel.BATCH,
                        optimizer=SGD(data_parallel.LR), progress=False)  # fmt: skip
    tolerance = 4096 * torch.finfo(torch.float64).eps
    for mine, theirs, start_value in zip(
        model.parameters(), result["parameters"], before, strict=True
    ):
        assert not torch.equal(mine, start_value)
        torch.testing.assert_close(theirs, mine, rtol=tolerance, atol=tolerance)
    losses = torch.tensor(result["losses"], dtype=torch.float64).view(8, -1)
    sizes = torch.tensor([len(x) for x in xs], dtype=torch.float64)
    losses = losses @ sizes / sizes.sum()
    assert losses.tolist() == pytest.approx(history.train, rel=tolerance)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "silent"])
def test_the_partner_says_what_happened(how, start, tmp_path):
    timeout = 5 if how == signal.SIGSTOP else 300  # a broken connection needs no timeout
    ranks = two_ranks(start, tmp_path / "result.pt", FOREVER, timeout)
    # One connection between partners, and one to the store, which the first of them keeps.
    wait_until_they_talk(lambda: [rank.pid for rank in ranks], ends=4)
    ranks[1].send_signal(how)
    _, errors = ranks[0].communicate(timeout=60)
    assert ranks[0].returncode == 1
    assert f"rank 0: partner dead or silent for {timeout} s" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "result.pt").exists()


def test_torchrun_ends_them_all(start, tmp_path):
    process = start(torchrun(2, tmp_path / "result.pt", FOREVER, 300), **NO_CARDS)
    parent = psutil.Process(process.pid)
    wait_until_they_talk(lambda: [child.pid for child in parent.children(recursive=True)], ends=2)
    children = parent.children(recursive=True)
    children[-1].kill()
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "SIGKILL" in errors and str(children[-1].pid) in errors
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
