"""Run a command while no other one runs under the same lock.

    python3 scripts/alone.py LOCK COMMAND...

It runs with whatever Python the user has, before anything is installed.
"""

import os
import signal
import subprocess
import sys


def main(lock, *command):
    """Hold the lock as long as the command, or anything that it started, is alive."""
    if os.path.dirname(lock):
        os.makedirs(os.path.dirname(lock), exist_ok=True)
    file = os.open(lock, os.O_RDWR | os.O_CREAT)
    if os.name == "nt":
        import msvcrt

        while True:
            try:
                msvcrt.locking(file, msvcrt.LK_LOCK, 1)
                return subprocess.call(command)
            except OSError:  # it gives up after ten seconds
                continue
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Another installation is running: waiting for it.")
        sys.stdout.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen(command, pass_fds=[file], start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)  # make alone would leave pip and npm running
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
