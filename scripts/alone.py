"""Run a command while no other one runs under the same lock.

    python3 scripts/alone.py LOCK COMMAND...

It runs with whatever Python the user has, before anything is installed.
"""

import os
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
                break
            except OSError:  # it gives up after ten seconds
                continue
        sys.exit(subprocess.call(command))
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Another installation is running: waiting for it.", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    os.set_inheritable(file, True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
