"""`python -m flows.processes.tethered PARENT COMMAND …`: become COMMAND, and end when process PARENT ends.

A supervisor that is killed with SIGKILL cannot stop its children; the kernel does it for us (Linux).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(sys.argv[1]):  # it was gone before we could ask
            raise SystemExit(0)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
