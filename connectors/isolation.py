"""A function in a process of its own, with a wall limit: for parsers fed by strangers.

The process is kept and reused, so that a small job costs a pipe and not a start; at the limit it
is killed and the next job gets a new one. Answers come back as JSON: nothing that a subverted
parser says can run here.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 2 * 2**30  # bytes of address space for one process
MAX_ANSWER = 256 * 2**20
_START_S = 30.0  # a cold disk may be slow to import; this is not the job's time


class Cut(Exception):
    """The job was ended from outside; the words say why."""


class TooSlow(Cut):
    """It was not done within its time."""


def _environment() -> dict[str, str]:
    """What Python needs to start and no more: our secrets are in the environment too."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class _Process:
    def __init__(self, target: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            code = f"from connectors.isolation import serve; serve({target!r}, {theirs.fileno()})"
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the parent; the end of the pipe ends the child
            )
        self._pipe = Connection(ours.detach())
        if not self._pipe.poll(_START_S) or self._pipe.recv_bytes() != b"ready":
            self.kill()
            raise Cut("隔离进程没有启动")

    def run(self, request: dict[str, Any], body: bytes, timeout_s: float) -> Any:
        self._pipe.send_bytes(json.dumps({**request, "timeout_s": timeout_s}).encode())
        self._pipe.send_bytes(body)
        if not self._pipe.poll(timeout_s):
            raise TooSlow(f"超过 {timeout_s:g} 秒没有做完，已中断")
        answer = json.loads(self._pipe.recv_bytes(MAX_ANSWER))
        if "cut" in answer:
            raise Cut(answer["cut"])
        return answer["result"]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()


class Pool:
    """Up to `size` processes that run `target` ("module:function"), usable from many threads.

    The function takes (request, body) and returns what JSON can hold. Processes start when they
    are first needed.
    """

    def __init__(self, target: str, size: int = 2) -> None:
        self._target = target
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    def run(self, request: dict[str, Any], body: bytes, timeout_s: float) -> Any:
        """The function's result. Raises Cut when the limit was reached or the process died."""
        process = self._idle.get()
        try:
            if process is None or not process.alive:
                process = None
                process = _Process(self._target)
            return process.run(request, body, timeout_s)
        except (EOFError, OSError) as error:
            _kill(process)
            process = None
            raise Cut(f"隔离进程中途结束（{type(error).__name__}），多半是内存不够") from None
        except (Cut, ValueError):
            _kill(process)
            process = None
            raise
        finally:
            self._idle.put(process)

    def close(self) -> None:
        """Ends the idle processes; a later job starts a new one."""
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for process in idle:
            _kill(process)
            self._idle.put(None)


def _kill(process: _Process | None) -> None:
    if process is not None:
        process.kill()


def serve(target: str, descriptor: int) -> None:
    """The child's whole life: one job after another until the pipe ends."""
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    with suppress(ValueError, OSError):  # not every system bounds address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    pipe = Connection(descriptor)
    pipe.send_bytes(b"ready")
    with suppress(EOFError, BrokenPipeError):
        while True:
            request = json.loads(pipe.recv_bytes())
            body = pipe.recv_bytes()
            # should the parent die meanwhile, the default action of the alarm ends us
            signal.alarm(int(request.pop("timeout_s")) + 5)
            pipe.send_bytes(json.dumps(_answer(function, request, body)).encode())
            signal.alarm(0)


def _answer(function: Any, request: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return {"result": function(request, body)}
    except (MemoryError, RecursionError) as error:
        return {"cut": f"所需内存超过上限（{type(error).__name__}）"}
