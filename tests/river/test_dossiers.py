"""A rumour from its signals to the receipt of the police: the package, the form, the clock, the number."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from models.ledger import dossiers
from support.river_site import Site, at
from support.web import answer

RUMOUR = "网传江东化工园区爆炸死亡三十人，官方隐瞒，请扩散"


def rumour(site: Site) -> str:
    """An incident of two posts, told false by a person."""
    for n in range(2):
        site.say("news", f"{RUMOUR} {n}", f"{RUMOUR}，联系 13812345678，现场照片第{n}张。")
        site.time.moment = at(f"00:{10 * (n + 1):02d}")
        site.beat()
    incident = str(site.desk.board()["incidents"][0]["id"])
    site.desk.act("grade", incident, {"grade": "III", "kind": "false_info", "reason": "不实"}, "li")
    return incident


def act(site: Site, incident: str, name: str, **params: str) -> dict[str, Any]:
    return site.desk.dossiers.act(name, incident, params, "chen")


def handed(site: Site, incident: str) -> str:
    number = str(act(site, incident, "make")["dossier"])
    act(site, incident, "hand", dossier=number, to="市公安局网安支队", reason="编造伤亡人数并传播")
    return number


def opened_zip(site: Site, number: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(site.desk.dossiers.content(number)[0]))


def test_the_package_holds_every_post_masked_and_its_manifest_holds(site: Site) -> None:
    incident = rumour(site)
    view = act(site, incident, "make", reason="疑似编造")
    (made,) = view["dossiers"]
    content, name = site.desk.dossiers.content(made["id"])
    assert hashlib.sha256(content).hexdigest() == made["sha256"]
    assert name.endswith(".zip")
    archive = opened_zip(site, made["id"])
    manifest = json.loads(archive.read("manifest.json"))
    assert all(hashlib.sha256(archive.read(f["path"])).hexdigest() == f["sha256"] for f in manifest["files"])
    assert manifest["posts"] == made["posts"] >= 2
    assert manifest["made_by"] == "陈值班"
    assert "13812345678" not in content.decode("utf-8", "ignore")
    posts = json.loads(archive.read("posts.json"))
    assert posts[0]["url"].startswith("http") and len(posts[0]["sealed_sha256"]) == 64
    assert site.verified()


def test_the_journals_end_in_the_manifest_is_the_one_before_the_package(site: Site) -> None:
    incident = rumour(site)
    before = site.desk.auditing.overview({}, 1, None)["entries"][0]["hash"]
    assert act(site, incident, "make")["dossiers"][0]["journal_head"] == before


def test_a_receipt_stops_the_clock_of_the_hand_over(site: Site) -> None:
    incident = rumour(site)
    waiting = [name for name in site.clocks(incident) if "hand" in name or "transfer" in name]
    number = handed(site, incident)
    site.time.moment = at("02:00")
    view = act(
        site, incident, "receipt", dossier=number, number="网安回〔2026〕12号", received_at="2026-11-21T01:30"
    )
    (done,) = view["dossiers"]
    assert (done["state"], done["receipt"]) == ("receipted", "网安回〔2026〕12号")
    assert all(site.clocks(incident)[name] == "met" for name in waiting)
    assert waiting
    act(site, incident, "follow", dossier=number, text="已对发布者训诫")
    assert site.desk.dossiers.overview(incident)["dossiers"][0]["follow_up"][0]["text"] == "已对发布者训诫"
    assert site.verified()


def test_a_receipt_is_used_once_in_whichever_incident_and_however_it_is_written(site: Site) -> None:
    first = rumour(site)
    second = str(
        site.desk.act("open", "", {"title": "另一起谣言", "grade": "IV", "kind": "false_info"}, "li")["id"]
    )
    number = handed(site, first)
    act(site, first, "receipt", dossier=number, number="网安回〔2026〕12号")
    again = {"kind": "handover_receipt", "document": "网安回 (2026) １２号"}
    with pytest.raises(Refusal, match="已用于 舆-"):
        site.desk.act("stop", second, again, "chen")
    other = handed(site, first)
    with pytest.raises(Refusal, match="一个回执只能用一次"):
        act(site, first, "receipt", dossier=other, number="网安回-〔2026〕-12号")


def test_the_form_names_to_whom_what_and_by_which_rule(site: Site) -> None:
    incident = rumour(site)
    handed(site, incident)
    form = site.desk.dossiers.overview(incident)["dossiers"][0]["form"]
    for said in (
        "接收单位：市公安局网安支队",
        "国办发〔2016〕61号 N-006",
        "SHA-256",
        "编造伤亡人数并传播",
        "回执编号",
    ):
        assert said in form


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("make", {"signals": "99999"}, "不属于本事件"),
        ("make", {"signals": "一号"}, "不是编号"),
        ("hand", {"to": "市公安局"}, "缺少移交事由"),
        ("receipt", {"number": "12"}, "还没有移交"),
        ("follow", {"text": "训诫"}, "还没有移交"),
    ],
)
def test_what_cannot_be_is_refused_in_words(site: Site, name: str, params: dict[str, str], said: str) -> None:
    incident = rumour(site)
    number = act(site, incident, "make")["dossiers"][0]["id"]
    with pytest.raises(Refusal, match=said):
        site.desk.dossiers.act(name, incident, {"dossier": number, **params}, "chen")


def test_times_that_cannot_be_and_other_incidents_dossiers_are_refused(site: Site) -> None:
    incident = rumour(site)
    other = str(site.desk.act("open", "", {"title": "别的", "grade": "IV"}, "li")["id"])
    site.time.moment = at("01:00")
    number = handed(site, incident)
    with pytest.raises(Refusal, match="早于移交时间"):
        act(site, incident, "receipt", dossier=number, number="A-1", received_at="2026-11-21T00:20")
    with pytest.raises(Refusal, match="在将来"):
        act(site, incident, "receipt", dossier=number, number="A-1", received_at="2026-11-23T00:20")
    with pytest.raises(Refusal, match="属于 舆-"):
        act(site, other, "follow", dossier=number, text="x")
    with pytest.raises(Refusal, match="没有线索"):
        act(site, other, "make")
    with pytest.raises(Unknown, match="没有编号为"):
        site.desk.dossiers.content("nope")


def test_a_site_may_hand_over_the_authors_whole(site: Site) -> None:
    incident = rumour(site)
    shown = site.house.site.dossiers.model_copy(update={"authors": "full"})
    object.__setattr__(site.house.site, "dossiers", shown)
    made = act(site, incident, "make")["dossiers"][0]
    assert made["authors"] == "full"
    pages = TestClient(build(site.desk))
    refused = pages.get(f"/api/v1/dossiers/{made['id']}")
    assert refused.status_code == 409 and "含个人信息" in refused.json()["error"]
    assert pages.get(f"/api/v1/snapshots/{made['sha256']}").status_code == 404
    with pytest.raises(Refusal, match="须署名并写明理由"):
        site.desk.dossiers.take(made["id"], "chen", "")
    content, _ = site.desk.dossiers.take(made["id"], "chen", "送公安")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert "13812345678" in archive.read("posts/0001.txt").decode()
    assert site.desk.auditing.overview({}, 1, None)["entries"][0]["kind"] == "取出证据包"
    assert site.verified()


def test_the_page_makes_a_package_and_hands_out_the_archive(site: Site) -> None:
    incident = rumour(site)
    pages = TestClient(build(site.desk), follow_redirects=False)
    pages.cookies.set("huiying_person", "chen")
    done = pages.post(f"/incidents/{incident}/dossiers/acts/make", data={})
    assert done.status_code == 303
    page = pages.get(done.headers["location"]).text
    number = site.desk.dossiers.overview(incident)["dossiers"][0]["id"]
    assert f"/api/v1/dossiers/{number}" in page and "已做成" in page
    saved = pages.get(f"/api/v1/dossiers/{number}")
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert zipfile.ZipFile(io.BytesIO(saved.content)).testzip() is None
    data = {"dossier": number, "to": "市公安局", "reason": "<b>编造"}
    pages.post(f"/incidents/{incident}/dossiers/acts/hand", data=data)
    printed = pages.get(f"/incidents/{incident}/dossiers/{number}/form").text
    assert "&lt;b&gt;编造" in printed and "涉嫌违法线索移交单" in printed


def test_the_mood_page_marks_the_publication_and_says_what_it_cannot_tell(site: Site) -> None:
    incident = rumour(site)
    site.time.moment = at("02:00")
    told = {
        "kind": "published_clarification",
        "url": "https://example.org/1",
        "published_at": "2026-11-21T00:40",
    }
    site.desk.act("stop", incident, told, "chen")
    view = site.desk.mood.overview(incident)
    (reading,) = view["readings"]
    assert "看不出效果" in reading["sentence"]
    assert view["signals"] >= 2 and view["curve"]["marks"][0]["name"] == "澄清信息"
    page = TestClient(build(site.desk)).get(f"/incidents/{incident}/mood").text
    assert 'class="curve"' in page and "看不出效果" in page
    assert json.dumps(view)


def test_the_archive_is_saved_by_command_and_overwrites_nothing(site: Site, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from flows.cli import app

    incident = rumour(site)
    number = act(site, incident, "make")["dossiers"][0]["id"]
    goal, run = tmp_path / "out.zip", CliRunner()
    words = ["dossier", "save", number, "-o", str(goal), "--site", str(site.house.site.directory)]
    env = {"HUIYING_HOOK_SECRET": "a secret of tests only"}
    assert run.invoke(app, words, env=env).exit_code == 0
    assert zipfile.ZipFile(goal).testzip() is None
    refused = run.invoke(app, words, env=env)
    assert refused.exit_code == 1 and "已经有" in refused.stderr


def test_the_posts_pages_are_looked_at_on_wish_and_their_hashes_kept_without_the_page(site: Site) -> None:
    incident = rumour(site)
    site.web.speak("/news/1", lambda asked: answer(asked, 404, b"gone", {}))
    view = act(site, incident, "make", look="1")
    assert "看过网页 2 个" in view["said"]
    archive = opened_zip(site, view["dossier"])
    found = {post["url"][-1]: post for post in json.loads(archive.read("posts.json"))}
    assert found["0"]["page"].startswith("还在") and len(found["0"]["page_sha256"]) == 64
    assert found["1"]["page"].startswith("已删除")
    assert not [name for name in archive.namelist() if name.endswith(".warc.gz")], "a page names people"


def test_a_receipt_that_was_typed_wrong_is_mended_once_its_proof_is_taken_back(site: Site) -> None:
    incident = rumour(site)
    number = handed(site, incident)
    act(site, incident, "receipt", dossier=number, number="网安回 12l")
    (proof,) = [e["id"] for e in site.desk.incident(incident)["evidence"] if e["kind"] == "handover_receipt"]  # type: ignore[index]
    site.desk.act("retract", incident, {"evidence": proof, "reason": "编号写错"}, "li")
    (one,) = site.desk.dossiers.overview(incident)["dossiers"]
    assert (one["state"], one["receipt"]) == ("handed", None)
    assert site.clocks(incident)["handover"] != "met"
    act(site, incident, "receipt", dossier=number, number="网安回 121")
    (one,) = site.desk.dossiers.overview(incident)["dossiers"]
    assert (one["state"], one["receipt"]) == ("receipted", "网安回 121")
    assert site.clocks(incident)["handover"] == "met"
    with pytest.raises(Refusal, match="一份移交只登记一个回执"):
        act(site, incident, "receipt", dossier=number, number="网安回 122")
    assert site.verified()


def test_what_was_uploaded_goes_into_a_masked_package_by_its_hash_alone(site: Site) -> None:
    incident = rumour(site)
    words = "举报人张三 13812345678".encode()
    proof = {"kind": "report_receipt", "document": "来信"}
    site.desk.files.stop(incident, proof, "chen", "名单.txt", words)
    view = act(site, incident, "make")
    archive = opened_zip(site, view["dossier"])
    assert not [name for name in archive.namelist() if name.startswith("snapshots/")]
    assert hashlib.sha256(words).hexdigest() in archive.read("snapshots.csv").decode("utf-8-sig")
    assert b"13812345678" not in b"".join(archive.read(name) for name in archive.namelist())


def test_a_package_made_with_its_files_leaves_by_the_signed_command_alone(site: Site) -> None:
    incident = rumour(site)
    manifest = {
        "posts": 1, "authors": "masked", "journal_head": "ab",
        "files": [{"path": "snapshots/aa.txt", "bytes": 1, "sha256": "aa"}],
    }  # fmt: skip
    with site.house.store.write() as conn:
        number = dossiers.make(conn, site.desk.now(), incident, b"old", manifest, "chen", "")
    with pytest.raises(Refusal, match="含个人信息"):
        site.desk.dossiers.content(number)
    page = TestClient(build(site.desk)).get(f"/incidents/{incident}/dossiers").text
    assert f"/api/v1/dossiers/{number}" not in page and "huiying dossier save" in page


def test_a_number_in_the_incidents_title_is_masked_in_the_package_and_its_form(site: Site) -> None:
    titled = {"title": "网传爆炸，联系13812345678", "grade": "III", "kind": "false_info"}
    incident = str(site.desk.act("open", "", titled, "li")["id"])
    site.desk.act("merge", rumour(site), {"into": incident, "reason": "同一事"}, "li")
    number = act(site, incident, "make")["dossier"]
    archive = opened_zip(site, number)
    assert not [name for name in archive.namelist() if b"13812345678" in archive.read(name)]
    view = act(site, incident, "hand", dossier=number, to="市公安局", reason="编造")
    assert "13812345678" not in view["dossiers"][0]["form"]
