"""What the pages of an incident's rooms share: the incident above, the form's answer, the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.console.context import render
from connectors.console.desk import Desk, View
from connectors.console.pages.looking import known

SEE_OTHER = 303
SAID = 300
"""Characters of an act's sentence that go back with the address."""
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "没有说明是谁，或来自别的网站"},
    404: {"description": "没有这一项"},
    409: {"description": "规则不允许，原因照原话"},
}


def draw(
    request: Request, desk: Desk, template: str, incident_id: str, view: View, said: str, **more: Any
) -> Response:
    """A room's page below the incident's own head."""
    incident = known(desk, incident_id)
    return render(request, template, incident=incident, view=view, told=said[:SAID], **more)


def back(incident_id: str, room: str, view: View) -> Response:
    """To the room, with the sentence that the act ended in."""
    home = f"/incidents/{quote(incident_id, safe='')}/{room}"
    return RedirectResponse(f"{home}?{urlencode({'said': view['said'][:SAID]})}", SEE_OTHER)


def filled(body: dict[str, str]) -> dict[str, str]:
    """The fields of a request that say something."""
    return {key: value.strip() for key, value in body.items() if value.strip()}
