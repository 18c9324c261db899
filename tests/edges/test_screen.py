"""Logging when nobody listens any more."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, structlog
from flows.commands.common import quiet_logs
quiet_logs()
os.close(2)
structlog.get_logger().error("nobody hears this")
print("still here")
"""


def test_a_closed_standard_error_stops_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("still here\n", 0)
