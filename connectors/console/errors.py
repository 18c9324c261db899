"""Every refusal and fault in one place: a page, a fragment or JSON, always with the way out."""

from __future__ import annotations

from collections.abc import Callable
from traceback import format_exception
from typing import Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.console import tongue, views
from connectors.console.desk import Refusal, Unavailable, Unknown, Unsigned
from connectors.console.headers import secure
from models.core.text import storable

log = structlog.get_logger(__name__)


class NoPerson(Exception):
    """An act without a person behind it: nobody can be held to it."""


_TITLES: Final = {
    400: "请求看不懂",
    401: "签名不对",
    403: "没有执行",
    404: "没有这一页",
    405: "这里不能这样操作",
    409: "规则不允许",
    413: "内容太大",
    422: "内容不完整",
    429: "太频繁",
    500: "系统出错",
    503: "系统没有就绪",
}
_WAY_OUT: Final = {
    404: "地址可能写错了，或者这一项不存在。请回到态势页重新查找。",
    405: "请回到态势页，从页面上的按钮操作。",
    500: "这一页没有画出来，时钟和提醒仍在独立运行。请稍后刷新；若仍出错，请在服务器上运行 huiying doctor。",
}


def answer(request: Request, status: int, message: str, *, whoami: bool = False) -> Response:
    """The same refusal in the form that the asker reads; it may quote what no encoding takes."""
    message = storable(message)
    tongue.LANGUAGE.set(tongue.chosen(request.cookies.get(tongue.COOKIE, "")))
    if request.url.path.startswith(("/api/", "/hooks/")):
        return JSONResponse({"error": message}, status)
    context = {
        "status": status,
        "title": _TITLES.get(status, "没有完成"),
        "message": message,
        "whoami": whoami,
    }
    if request.headers.get("hx-request"):
        notice = views.page("fragments/notice.html", status, **context)
        notice.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"})
        return notice
    return views.page("error.html", status, **context)


def _refused(request: Request, error: Exception) -> Response:
    return answer(request, 409, str(error))


def _unknown(request: Request, error: Exception) -> Response:
    return answer(request, 404, str(error) or _WAY_OUT[404])


def _unsigned(request: Request, error: Exception) -> Response:
    return answer(request, 401, str(error))


def _unavailable(request: Request, error: Exception) -> Response:
    way_out = "时钟都在数据库里，恢复后会补上应发的提醒。请在服务器上运行 huiying doctor。"
    return answer(request, 503, f"{error}。{way_out}")


def _nobody(request: Request, error: Exception) -> Response:
    return answer(request, 403, str(error), whoami="huiying.accounts" not in request.scope)


def _invalid(request: Request, error: Exception) -> Response:
    return answer(request, 422, _in_words(error) if isinstance(error, RequestValidationError) else str(error))


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return answer(request, status, _WAY_OUT.get(status, str(getattr(error, "detail", ""))))


def _fault(request: Request, error: Exception) -> Response:
    log.error("console_fault", path=request.url.path, error=repr(error), trace=_trace(error))
    response = answer(request, 500, _WAY_OUT[500])
    secure(response.headers, request.url.path)  # the last resort answers outside the Shield
    return response


HANDLERS: Final[dict[int | type[Exception], Callable[[Request, Any], Any]]] = {
    Refusal: _refused,
    Unknown: _unknown,
    Unsigned: _unsigned,
    Unavailable: _unavailable,
    NoPerson: _nobody,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _fault,
}
"""Which answer each exception that may reach the top of the app gets."""


def _trace(error: Exception) -> str:
    """The last calls, without the values in them: those may hold what nobody should log."""
    return "".join(format_exception(error, limit=-6))


def _in_words(error: RequestValidationError) -> str:
    parts = (f"{'.'.join(str(at) for at in e['loc'])}: {e['msg']}" for e in error.errors()[:5])
    return "请求的内容不对:" + "; ".join(parts)
