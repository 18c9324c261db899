"""`/login`, `/account`, `/accounts`: in and out, one's own account, everybody's for an administrator."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, render
from connectors.console.desk import Desk, Refusal, Unknown, View
from connectors.console.desks.access import MANAGE, Entered, NoEntry, Unconfirmed
from connectors.console.gate import address_of, cookie_name, has_accounts, session_of, who_of
from connectors.console.pages.acting import inside
from models.core.access import Place, Stage, Who

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
OIDC_COOKIE: Final = "huiying_oidc"
_SEE_OTHER: Final = 303
_OIDC_S: Final = 600
_NOTHING: Final[View] = {"said": "", "wrong": "", "at": "", "secret": "", "codes": []}
"""What a page of accounts may have to say, and does not."""
_NEXT: Final = {Stage.CODE: "/login/code", Stage.PASSWORD: "/account", Stage.ENROL: "/account"}
Back = Annotated[str, Query(max_length=2000)]
Said = Annotated[str, Query(max_length=200)]


async def _ticked(request: Request) -> dict[str, str]:
    """The form's texts as they are (a password may begin with a blank); what was ticked several times, with commas."""
    form = await request.form(max_files=0, max_fields=60)
    found: dict[str, list[str]] = {}
    for name, text in form.multi_items():
        if isinstance(text, str):
            found.setdefault(name, []).append(text)
    return {name: ",".join(texts) for name, texts in found.items()}


Ticked = Annotated[dict[str, str], Depends(_ticked)]


def place_of(request: Request) -> Place:
    return Place(address_of(request), request.headers.get("user-agent", ""))


def _me(request: Request) -> Who:
    """Raises Unknown where there are no accounts."""
    who = who_of(request)
    if who is None:
        raise Unknown("这个站点没有启用账号。要启用，请在 site.yaml 写 access: {mode: accounts}。")
    return who


def _with(request: Request, response: Response, entered: Entered) -> Response:
    """The session's cookie: no script reads it, other sites' forms do not carry it."""
    https = request.url.scheme == "https"
    response.set_cookie(
        cookie_name(https), entered.secret, max_age=entered.lasting_s, path="/", httponly=True, samesite="lax",
        secure=https,
    )  # fmt: skip
    return response


# ── in and out ────────────────────────────────────────────────────────────────────────────────


@router.get("/login")
def login(request: Request, desk: AtDesk, back: Back = "/", left: bool = False) -> Response:
    if not has_accounts(request):
        return RedirectResponse("/", _SEE_OTHER)
    who = who_of(request)
    if who is not None and who.stage is Stage.FULL:
        return RedirectResponse(inside(back), _SEE_OTHER)
    return _door(request, desk, "left" if left else "name", inside(back))


def _door(
    request: Request, desk: Desk, step: str, back: str, wrong: str = "", name: str = "", status: int = 200
) -> Response:
    oidc = desk.access.settings()["oidc"]
    return render(
        request, "login.html", status, step=step, back=back, wrong=wrong, typed=name, oidc=oidc, people=[]
    )


@router.post("/login")
def enter(request: Request, desk: AtDesk, fields: Ticked) -> Response:
    back, name = inside(fields.get("back", "/")), fields.get("name", "")
    _accounts_only(request)
    try:
        entered = desk.access.sign_in(name, fields.get("password", ""), place_of(request))
    except NoEntry as error:
        return _door(request, desk, "name", back, str(error), name[:60], 401)
    desk.access.sign_out(session_of(request))  # what this browser held before is nobody's any more
    return _with(request, _onward(entered, back), entered)


def _accounts_only(request: Request) -> None:
    if not has_accounts(request):
        raise Unknown("这个站点没有启用账号。要启用，请在 site.yaml 写 access: {mode: accounts}。")


def _onward(entered: Entered, back: str) -> Response:
    step = _NEXT.get(entered.stage)
    if step is None:
        return RedirectResponse(back, _SEE_OTHER)
    return RedirectResponse(f"{step}?back={quote(back, safe='')}", _SEE_OTHER)


@router.get("/login/code")
def code_wanted(request: Request, desk: AtDesk, back: Back = "/") -> Response:
    if _me(request).stage is not Stage.CODE:
        return RedirectResponse(inside(back), _SEE_OTHER)
    return _door(request, desk, "code", inside(back))


@router.post("/login/code")
def prove(request: Request, desk: AtDesk, fields: Ticked) -> Response:
    back = inside(fields.get("back", "/"))
    try:
        entered = desk.access.prove(session_of(request), fields.get("code", ""), place_of(request))
    except NoEntry as error:
        return _door(request, desk, "code", back, str(error), status=401)
    return _with(request, _onward(entered, back), entered)


@router.get("/login/confirm")
def confirm_wanted(request: Request, desk: AtDesk, back: Back = "/account") -> Response:
    return _confirm_door(request, desk, inside(back))


def _confirm_door(request: Request, desk: Desk, back: str, wrong: str = "", status: int = 200) -> Response:
    own = desk.access.own(_me(request))
    return render(
        request, "login.html", status, step="confirm", back=back, wrong=wrong, own=own, typed="",
        oidc=desk.access.settings()["oidc"] if own["oidc"] else "",
    )  # fmt: skip


@router.post("/login/confirm")
def confirm(request: Request, desk: AtDesk, fields: Ticked) -> Response:
    back = inside(fields.get("back", "/account"))
    try:
        entered = desk.access.confirm(session_of(request), fields.get("password", ""), place_of(request))
    except NoEntry as error:
        return _confirm_door(request, desk, back, str(error), 401)
    return _with(request, RedirectResponse(back, _SEE_OTHER), entered)


@router.post("/logout")
def leave(request: Request, desk: AtDesk) -> Response:
    desk.access.sign_out(session_of(request))
    response = RedirectResponse("/login?left=1", _SEE_OTHER)
    response.delete_cookie(
        cookie_name(request.url.scheme == "https"), path="/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # what a phone kept is of whoever left
    return response


@router.get("/login/oidc")
async def there(request: Request, desk: AtDesk, back: Back = "/", again: bool = False) -> Response:
    _accounts_only(request)
    try:
        url, kept = await desk.access.oidc_begin(inside(back), again)
    except NoEntry as error:
        return await run_in_threadpool(_door, request, desk, "name", inside(back), str(error), "", 401)
    response = RedirectResponse(url, _SEE_OTHER)
    https = request.url.scheme == "https"
    response.set_cookie(
        _oidc_cookie(https), kept, max_age=_OIDC_S, path="/", httponly=True, samesite="lax", secure=https
    )
    return response


def _oidc_cookie(https: bool) -> str:
    return f"__Host-{OIDC_COOKIE}" if https else OIDC_COOKIE


@router.get("/login/oidc/leave")
async def leave_there(request: Request, desk: AtDesk) -> Response:
    """A link, not a form: a form may not lead to another site (Content-Security-Policy)."""
    _accounts_only(request)
    try:
        return RedirectResponse(await desk.access.oidc_leave() or "/login", _SEE_OTHER)
    except NoEntry:
        return RedirectResponse("/login", _SEE_OTHER)


@router.get("/login/oidc/back")
async def and_back(request: Request, desk: AtDesk) -> Response:
    _accounts_only(request)
    https = request.url.scheme == "https"
    kept = request.cookies.get(_oidc_cookie(https), "")[:8000]
    try:
        entered, back = await desk.access.oidc_finish(dict(request.query_params), kept, place_of(request))
    except NoEntry as error:
        response = await run_in_threadpool(_door, request, desk, "name", "/", str(error), "", 401)
    else:
        await run_in_threadpool(desk.access.sign_out, session_of(request))
        response = _with(request, _onward(entered, inside(back)), entered)
    response.delete_cookie(_oidc_cookie(https), path="/", httponly=True, samesite="lax", secure=https)
    return response


# ── one's own account ─────────────────────────────────────────────────────────────────────────


@router.get("/account")
def account(request: Request, desk: AtDesk, said: Said = "") -> Response:
    return _account(request, desk, {"said": said})


def _account(request: Request, desk: Desk, done: View, status: int = 200, who: Who | None = None) -> Response:
    own = desk.access.own(who or _me(request))
    shown = {**_NOTHING, **done}
    return render(request, "account.html", status, own=own, done=shown, told=shown["said"], people=[])


@router.get("/account/second-factor.svg")
def second_factor(request: Request, desk: AtDesk) -> Response:
    try:
        return Response(desk.access.picture(_me(request)), media_type="image/svg+xml")
    except Unconfirmed:
        raise Unknown("请再输一次口令，再设两步验证。") from None


@router.post("/account/acts/{name}")
def own_act(request: Request, desk: AtDesk, name: str, fields: Ticked) -> Response:
    """Secrets that are shown once are drawn at once: they never stand in an address."""
    who = _me(request)
    try:
        done = desk.access.own_act(name, fields, who, place_of(request))
    except Unconfirmed:
        return _again("/account")
    except (NoEntry, Refusal) as error:
        return _account(
            request, desk, {"wrong": str(error), "at": name}, 401 if isinstance(error, NoEntry) else 409
        )
    entered = done.get("entered")
    if "secret" in done or "codes" in done:
        now = desk.access.who(entered.secret, "") if entered else who
        response = _account(request, desk, done, who=now)
    else:
        response = RedirectResponse(f"/account?said={quote(done['said'])}", _SEE_OTHER)
    return _with(request, response, entered) if entered else response


def _again(back: str) -> Response:
    return RedirectResponse(f"/login/confirm?back={quote(back, safe='')}", _SEE_OTHER)


# ── everybody's ───────────────────────────────────────────────────────────────────────────────


@router.get("/accounts")
def accounts(request: Request, desk: AtDesk, said: Said = "") -> Response:
    return _accounts(request, desk, {"said": said})


def _accounts(request: Request, desk: Desk, done: View, status: int = 200) -> Response:
    _me(request)
    view = desk.access.accounts()
    shown = {**_NOTHING, **done}
    return render(
        request, "accounts.html", status, view=view, done=shown, told=shown["said"], manage=MANAGE,
        roles=[(one["value"], one["zh"]) for one in view["roles"]],
        units=[(one["id"], one["name"]) for one in view["units"]],
    )  # fmt: skip


@router.post("/accounts")
def add(request: Request, desk: AtDesk, fields: Ticked) -> Response:
    return _managed(request, desk, "add", fields.pop("account", ""), fields)


@router.post("/accounts/{account_id}/acts/{name}")
def manage(request: Request, desk: AtDesk, account_id: str, name: str, fields: Ticked) -> Response:
    if name == "roles":  # boxes that nobody ticked are not sent: none is none
        fields = {"roles": "", "units": "", **fields}
    return _managed(request, desk, name, account_id, fields)


def _managed(request: Request, desk: Desk, name: str, account_id: str, fields: dict[str, Any]) -> Response:
    given = {key: text for key, text in fields.items() if key not in ("password", "own", "without_password")}
    try:
        done = desk.access.manage(name, account_id, given, _me(request))
    except Unconfirmed:
        return _again("/accounts")
    except Refusal as error:
        return _accounts(request, desk, {"wrong": str(error)}, 409)
    if done.get("secret"):
        return _accounts(request, desk, done)
    return RedirectResponse(f"/accounts?said={quote(done['said'])}", _SEE_OTHER)
