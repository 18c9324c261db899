"""Evidence with a file: the form's door and the API's, both multipart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.console.context import AtDesk, Once, actor
from connectors.console.desk import Desk, View
from connectors.console.pages.acting import fresh
from connectors.console.pages.rooms import REFUSED, SEE_OTHER
from connectors.uploads import MOST

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A form's texts, and its file where there is one."""

    fields: dict[str, str]
    name: str
    content: bytes


async def handed_in(request: Request) -> HandedIn:
    """No more is read of the file than shows that it is too large."""
    async with request.form(max_files=1, max_fields=40) as form:
        texts = {k: v.strip() for k, v in form.items() if isinstance(v, str) and v.strip()}
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return HandedIn(texts, "", b"")
        return HandedIn(texts, file.filename, await file.read(MOST + 1))


Given = Annotated[HandedIn, Depends(handed_in)]
_SHAPE: dict[str, Any] = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **{
                            name: {"type": "string"}
                            for name in (
                                "by", "kind", "clock", "url", "document", "publisher", "published_at", "reason",
                                "waited_s",
                            )
                        },
                    },
                }
            }
        }
    }
}  # fmt: skip


@router.post("/incidents/{incident_id}/evidence")
def evidence(request: Request, desk: AtDesk, incident_id: str, given: Given, once: Once = "") -> Response:
    _stop(desk, incident_id, given, actor(request), once)
    if not request.headers.get("hx-request"):
        return RedirectResponse(f"/incidents/{incident_id}", SEE_OTHER)
    return fresh(request, desk, "incident", incident_id, "已加凭据")


@api.post(
    "/incidents/{incident_id}/evidence", tags=["做"], summary="加凭据，可附文件", responses=REFUSED,
    openapi_extra=_SHAPE,
)  # fmt: skip
def evidence_json(request: Request, desk: AtDesk, incident_id: str, given: Given, once: Once = "") -> View:
    """multipart/form-data：file 可选，其余字段同 stop；文件按内容辨认，最多 10 MB。"""
    by = actor(request, given.fields.pop("by", ""))
    return _stop(desk, incident_id, given, by, once)


def _stop(desk: Desk, incident_id: str, given: HandedIn, by: str, once: str) -> View:
    params = {name: text for name, text in given.fields.items() if name != "view"}
    if given.name:
        return desk.files.stop(incident_id, params, by, given.name, given.content, once)
    return desk.act("stop", incident_id, params, by, once)
