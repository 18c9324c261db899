"""What a Slack bot may, asked of Slack itself, beside what this site wants of it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.channels.slack import Slack
from connectors.ports import Outcome

ALWAYS = {"chat:write": "提醒发不出去"}
LOOKING = {
    "im:write": "没有答复的提醒无从核对，可能重复送达",
    "im:history": "没有答复的提醒无从核对，可能重复送达",
}
ROOM = {"channels:history": "事件频道里没有答复的消息无从核对，可能重复"}
ACTING = {"commands": "/huiying 用不了", "files:read": "凭据表单里附的文件取不到"}


def lacking(channel: Slack, scopes: frozenset[str]) -> dict[str, str]:
    """Scope → what does not work without it."""
    wanted = ALWAYS | LOOKING
    if channel.incidents:
        wanted |= ROOM
    if channel.signing_secret or channel.app_token:
        wanted |= ACTING
    has = scopes | ({"channels:history"} if "groups:history" in scopes else set())
    return {scope: why for scope, why in wanted.items() if scope not in has}


def findings(channel: Slack) -> Iterator[tuple[bool, str, bool]]:
    """(fine, in words, only a warning). Slack says a token's scopes in a header; a stand-in may not."""
    said = channel.talk.who()
    if not said.ok:
        yield False, said.reason, said.outcome is not Outcome.REFUSED
        return
    scopes = frozenset(scope.strip() for scope in str(said.data.get("scopes")).split(",") if scope.strip())
    if not scopes:
        yield True, f"{said.data.get('team', '')}：已登录；权限未知", False
        return
    missing = lacking(channel, scopes)
    for scope, why in missing.items():
        yield False, f"缺少权限 {scope}：{why}", scope not in ALWAYS
    if not missing:
        yield True, f"{said.data.get('team', '')}：权限齐全", False
