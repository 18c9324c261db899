"""What slack_sdk may log: from INFO on. Below it stand whole messages, and addresses that are keys by themselves."""

from __future__ import annotations

import logging


def logger() -> logging.Logger:
    found = logging.getLogger("slack_sdk.hushed")
    found.setLevel(logging.INFO)
    return found
