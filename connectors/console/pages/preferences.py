"""`/me/preferences`: by which channel one is told first, quiet hours, and how one's contacts fare."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Path
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, cookie_person, render
from connectors.console.desk import View
from connectors.console.errors import NoPerson
from connectors.console.gate import has_accounts
from connectors.console.pages.rooms import REFUSED, SAID, SEE_OTHER

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1", tags=["提醒偏好"])
HOME = "/me/preferences"
MOST = 99
Number = Annotated[int, Path(ge=1, le=MOST, description="第几种联系方式，从 1 起")]
PersonId = Annotated[str, Path(max_length=100, description="值班表里的人员标识")]


@router.get(HOME)
def preferences(request: Request, desk: AtDesk, said: str = "") -> Response:
    """One's own; whoever is nobody yet is asked who they are."""
    person = cookie_person(request)
    known = any(one["id"] == person for one in desk.people())
    view = desk.preferences.of(person) if known else None
    return render(request, "preferences.html", view=view, told=said[:SAID], back=HOME)


@router.post(HOME)
def save(request: Request, desk: AtDesk, fields: Fields) -> Response:
    by = actor(request)
    return _back(desk.preferences.save(by, wished(fields), by))


@router.post(HOME + "/tests/{number}")
def test(request: Request, desk: AtDesk, number: Number) -> Response:
    by = actor(request)
    return _back(desk.preferences.test(by, number, by))


def _back(view: View) -> Response:
    return RedirectResponse(f"{HOME}?{urlencode({'said': view['said'][:SAID]})}", SEE_OTHER)


def wished(fields: dict[str, str]) -> dict[str, str]:
    """A form's fields as the desk takes them: first and second choice, the boxes ticked, two times of day."""
    made = {key: _both(fields, key) for key in ("deadline", "high", "normal")}
    ticked = [key.removeprefix("low.") for key in fields if key.startswith("low.")]
    begins, ends = fields.get("quiet_from", ""), fields.get("quiet_to", "")
    return {**made, "low": ",".join(ticked), "quiet": f"{begins}-{ends}" if begins or ends else ""}


def _both(fields: dict[str, str], key: str) -> str:
    return ",".join(filter(None, (fields.get(f"{key}.1", ""), fields.get(f"{key}.2", ""))))


@api.get("/people/{person}/preferences", summary="提醒偏好和联系方式的近况", responses=REFUSED)
def preferences_json(request: Request, desk: AtDesk, person: PersonId) -> View:
    """急缓各先用哪个渠道、静默时段，以及每种联系方式最近一次的结果；地址已遮盖。"""
    if has_accounts(request) and cookie_person(request) != person:
        raise NoPerson("只能看自己的提醒偏好；别人是否可达见“值班”页的联络测试。")
    return desk.preferences.of(person)


@api.post("/people/{person}/preferences", summary="设置自己的提醒偏好", responses=REFUSED)
def save_json(
    request: Request,
    desk: AtDesk,
    person: PersonId,
    body: Annotated[
        dict[str, str],
        Body(
            description="by；deadline、high、normal 先用的渠道，low 只用的渠道，逗号分隔；quiet 静默时段。不写的不变。",
            openapi_examples={
                "quiet": {"summary": "夜里不急的先放着", "value": {"by": "chen", "quiet": "22:00-07:00"}},
                "order": {"summary": "时限先打电话", "value": {"by": "chen", "deadline": "voice,sms"}},
            },
        ),
    ],
) -> View:
    by = actor(request, body.pop("by", ""))
    return desk.preferences.save(person, body, by)


@api.post("/people/{person}/tests/{number}", summary="给自己的一种联系方式发一条测试", responses=REFUSED)
def test_json(
    request: Request,
    desk: AtDesk,
    person: PersonId,
    number: Number,
    body: Annotated[dict[str, str], Body(openapi_examples={"test": {"value": {"by": "chen"}}})],
) -> View:
    return desk.preferences.test(person, number, actor(request, body.get("by", "")))
