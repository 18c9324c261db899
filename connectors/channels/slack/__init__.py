"""Slack through slack_sdk, whose only home this is.

`sending` (the channel) · `alerts` `cards` `forms` `home` (what is shown) over `words` and `names` ·
`talk` (calls, over `judging`: what a no means) · `arriving` (a press, a form, a command as it comes in,
over `verify`: is it Slack?) · `live` (Socket Mode).
"""

from __future__ import annotations

from connectors.channels.slack.names import ACK_ACTION
from connectors.channels.slack.sending import Slack, build
from connectors.channels.slack.words import escape, fit

__all__ = ["ACK_ACTION", "Slack", "build", "escape", "fit"]
