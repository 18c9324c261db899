"""A whole site with something of everything in it, for whoever must look at every page."""

from __future__ import annotations

from support.river_site import Site, at

TEXT = "## 事实\n望江路泵站停电停水。\n\n## 措施\n抢修队已到场。\n\n## 结果\n预计6时恢复供水。\n"
DAY = ["/", "/trends", "/mine", "/me", "/tasks", "/roster", "/handover", "/handover/log", "/sources", "/playbooks",
       "/registers", "/registers?kind=supervision", "/assessment", "/reports", "/audit", "/deadletters",
       "/incidents/new", "/offline", "/me/preferences"]  # fmt: skip
ROOMS = ["", "/work", "/statements", "/meetings", "/dossiers", "/mood", "/aftermath"]


def furnished(site: Site) -> tuple[str, str]:
    """A water stop and a rumour at 02:13: graded, assigned, promised, booked, drafted, packed."""
    desk = site.desk
    site.time.moment = at("02:00")
    about = {"title": "望江路泵站停电致城东停水", "grade": "II", "place": "望江区", "reason": "热线集中反映"}
    occurred = {"occurred_at": at("00:30").isoformat(), "kind": "major_problem"}
    water = str(desk.act("open", "", about | occurred, "li")["id"])
    desk.act("assign", water, {"unit": "office", "reason": "谁主管谁负责"}, "li")
    desk.meetings.act("promise", water, {"due_at": at("06:00").isoformat(), "text": "6时前续报"}, "li")
    entry = {"kind": "supervision", "title": "督办停水", "unit": "市政府办公室", "incident": water}
    desk.registers.act("add", "", entry, "li")
    written = {"title": "关于停水的通报", "text": TEXT, "disclosure": "proactive", "outlets": "website"}
    desk.statements.draft(water, written, "chen")
    for number in range(3):
        site.say("news", f"网传毒气扩散{number}", "网传临江毒气扩散全城，当局隐瞒三百人死亡，速转发！")
    site.until("02:13")
    desk.act("snooze", water, {"minutes": "30"}, "li")
    (rumour,) = [str(one["id"]) for one in desk.board()["incidents"] if one["id"] != water]
    return water, rumour


def pages(site: Site, water: str, rumour: str) -> list[str]:
    """Every kind of page that there is, with what stands in it."""
    statement = site.desk.statements.overview(water)["statements"][0]["id"]
    entry = site.desk.registers.overview("supervision", everything=True)["entries"][0]["id"]
    rooms = [f"/incidents/{water}{room}" for room in ROOMS]
    more = [f"/incidents/{rumour}", f"/incidents/{rumour}/dossiers", f"/statements/{statement}"]
    book = site.desk.playbooks()[0]["id"]
    return [*DAY, *rooms, *more, f"/registers/{entry}", f"/playbooks/{book}"]
