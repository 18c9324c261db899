"""Socket Mode: Slack's events over a connection that we open, for offices that nobody can reach by HTTP.

slack_sdk's own client keeps it alive: it pings, and opens another when Slack says goodbye or goes silent.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.socket_mode.builtin.client import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from connectors.channels.slack import hushed, judging
from connectors.channels.slack.arriving import Payload
from connectors.channels.slack.sending import Slack
from connectors.ports import Unreachable

log = structlog.get_logger()

Receive = Callable[[Payload], tuple[dict[str, Any], Callable[[], None] | None]]
"""What came → what is answered at once, and what is done after that."""
PING_S = 5.0
GREETED_S = 30.0
CLOSE_S = 5.0


@dataclass
class Live:
    """One open line to Slack. `open()`, look at `is_open()` now and then, `close()`."""

    channel: Slack
    receive: Receive
    client: SocketModeClient | None = field(default=None, repr=False)

    def open(self) -> None:
        """Raises Unreachable, in words, when there is no line to be had."""
        client = SocketModeClient(
            app_token=self.channel.app_token,
            logger=hushed.logger(),
            web_client=self.channel.talk.client,
            ping_interval=PING_S,
        )
        client.proxy = self.channel.talk.client.proxy  # as for the Web API: what the site has written
        client.socket_mode_request_listeners.append(self._heard)
        self.client = client
        try:
            client.connect()
        except Exception as error:  # noqa: BLE001  (slack_sdk raises whatever the socket raised)
            self.close()
            raise Unreachable(judging.read(self.channel.id, error).reason) from None
        if not client.is_connected():
            self.close()
            raise Unreachable(f"{self.channel.id}: Slack 的连接没有打开；请核对 app_token 与网络")

    def is_open(self) -> bool:
        return self.client is not None and self.client.is_connected()

    def close(self) -> None:
        """Within `CLOSE_S`. slack_sdk waits without an end for its reading thread, which forgets that it is
        to stop when it was just about to begin a session: it is told again."""
        client, self.client = self.client, None
        if client is None:
            return
        closing = threading.Thread(target=_end, args=(client,), name="slack-close", daemon=True)
        closing.start()
        until = time.monotonic() + CLOSE_S
        while closing.is_alive() and time.monotonic() < until:
            client.current_session_state.terminated = True
            closing.join(0.05)

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Take it down, answer, then do the work. What could not be taken down is not answered: Slack
        sends it again."""
        try:
            answer, work = self.receive(request.payload)
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer or None))
        except Exception as error:  # noqa: BLE001  (one bad message must not end the line)
            log.error("a message from Slack was not taken", channel=self.channel.id, reason=repr(error)[:300])
            return
        if work is not None:
            work()


def _end(client: SocketModeClient) -> None:
    with contextlib.suppress(Exception):  # it is being given up in any case
        client.close()
