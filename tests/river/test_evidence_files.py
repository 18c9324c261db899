"""Evidence with a file: by the form, the API and the command; kept under its hash, given out as a download."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from connectors.console.app import build
from flows.cli import app
from support.river_site import Site, at

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ENV = {"HUIYING_HOOK_SECRET": "a secret of tests only"}


def opened(site: Site) -> str:
    params = {"title": "化工园区爆炸", "grade": "II", "occurred_at": "2026-11-21T00:00"}
    site.time.moment = at("02:00")
    return str(site.desk.act("open", "", params, "chen")["id"])


def pages(site: Site) -> TestClient:
    made = TestClient(build(site.desk), follow_redirects=False)
    made.cookies.set("huiying_person", "chen")
    return made


def fields(**more: str) -> dict[str, str]:
    return {"kind": "published_statement", "publisher": "新闻办", "published_at": "2026-11-21T01:00", **more}


def test_a_file_by_the_form_stops_the_clock_and_is_given_out_as_a_download(site: Site) -> None:
    incident, door = opened(site), pages(site)
    done = door.post(
        f"/incidents/{incident}/evidence", data=fields(), files={"file": ("通报.pdf", PDF, "text/html")}
    )
    assert done.status_code == 303
    assert site.clocks(incident)["first_statement"] == "met"
    (proof,) = door.get(f"/api/v1/incidents/{incident}").json()["evidence"]
    assert proof["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert proof["url"] == "通报.pdf" and proof["file"] == {
        "media_type": "application/pdf",
        "bytes": len(PDF),
    }
    assert "附件 PDF" in door.get(f"/incidents/{incident}").text
    kept = door.get(f"/api/v1/snapshots/{proof['sha256']}")
    assert (kept.content, kept.headers["content-type"]) == (PDF, "application/octet-stream")
    assert kept.headers["content-disposition"].startswith("attachment;")
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert site.verified()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("页.html", b"<html><script>alert(1)</script>", "网页或 SVG"),
        ("通报.png", PDF, "内容是 PDF"),
        ("大.pdf", b"%PDF-1.7" + b"a" * (10 * 1024 * 1024), "超过 10 MB"),
    ],
)  # fmt: skip
def test_a_file_that_may_not_be_kept_stops_nothing(site: Site, name: str, content: bytes, said: str) -> None:
    incident, door = opened(site), pages(site)
    answer = door.post(
        f"/api/v1/incidents/{incident}/evidence", data=fields(by="li"), files={"file": (name, content)}
    )
    assert answer.status_code == 409
    assert said in answer.json()["error"]
    assert site.clocks(incident)["first_statement"] != "met"


def test_more_than_a_file_may_be_is_refused_before_it_is_read(site: Site) -> None:
    incident, door = opened(site), pages(site)
    answer = door.post(
        f"/api/v1/incidents/{incident}/evidence", data=fields(), files={"file": ("a.pdf", b"a" * 11_000_000)}
    )
    assert answer.status_code == 413


def test_the_form_without_a_file_still_takes_an_address(site: Site) -> None:
    incident, door = opened(site), pages(site)
    done = door.post(f"/incidents/{incident}/evidence", data=fields(url="https://example.org/1"))
    assert done.status_code == 303
    assert site.clocks(incident)["first_statement"] == "met"
    neither = door.post(f"/incidents/{incident}/evidence", data=fields())
    assert neither.status_code == 409 and "发布地址(url)或文件名称" in neither.text


def test_the_same_file_twice_is_refused(site: Site) -> None:
    incident, door = opened(site), pages(site)
    for status in (200, 409):
        answer = door.post(
            f"/api/v1/incidents/{incident}/evidence", data=fields(), files={"file": ("通报.pdf", PDF)}
        )
        assert answer.status_code == status
    assert "不能重复使用" in answer.json()["error"]


def test_a_time_before_the_event_or_in_the_future_is_refused_with_a_file_too(site: Site) -> None:
    incident, door = opened(site), pages(site)
    for when, said in (("2026-11-20T01:00", "早于事件"), ("2026-11-22T01:00", "在将来")):
        answer = door.post(
            f"/api/v1/incidents/{incident}/evidence",
            data=fields(published_at=when),
            files={"file": ("a.pdf", PDF)},
        )
        assert answer.status_code == 409 and said in answer.json()["error"]


def test_the_command_takes_a_file_and_refuses_one_that_is_not_what_it_says(
    site: Site, tmp_path: Path
) -> None:
    incident = opened(site)
    good, bad = tmp_path / "通报.pdf", tmp_path / "截图.png"
    good.write_bytes(PDF)
    bad.write_bytes(PDF)
    words = [
        "stop",
        incident,
        "--kind",
        "report_receipt",
        "--by",
        "chen",
        "--site",
        str(site.house.site.directory),
        "--json",
    ]
    done = CliRunner().invoke(app, [*words, "--file", str(good)], env=ENV)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["evidence"][0]["file"]["bytes"] == len(PDF)
    refused = CliRunner().invoke(app, [*words, "--file", str(bad)], env=ENV)
    assert refused.exit_code == 1 and "内容是 PDF，名字应以 .pdf 结尾" in refused.stderr
    missing = CliRunner().invoke(app, [*words, "--file", str(tmp_path / "none.pdf")], env=ENV)
    assert missing.exit_code == 2 and "读不了" in missing.stderr


def test_an_address_that_never_existed_is_said_to_be_unseen_and_one_that_is_missing_is_taken_back(
    site: Site,
) -> None:
    incident = opened(site)
    told = fields(url="https://huiying-never-existed.invalid/1")
    site.desk.act("stop", incident, told, "chen")
    site.beat()
    page = pages(site).get(f"/incidents/{incident}").text
    assert "未能打开" in page and "无法核对" in page
    assert site.clocks(incident)["first_statement"] == "met", "what cannot be seen takes nothing away"
    told = fields(kind="press_conference", url=site.web.url("/never"))
    site.desk.act("stop", incident, told, "chen")
    site.until("02:30")
    assert site.clocks(incident)["press_conference"] == "running"
    assert "已撤回" in pages(site).get(f"/incidents/{incident}").text
    assert site.verified()
