"""The console on a real loopback port, for tests that need a browser or an open stream."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from connectors.console.app import build, server
from connectors.console.desk import Desk


@contextmanager
def served(desk: Desk, port: int = 0) -> Iterator[str]:
    """Serve `desk` until the block ends; yields the address, `http://127.0.0.1:PORT`."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    running = server(build(desk, poll_s=0.05))
    thread = Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the console did not stop although its streams were told to end"
