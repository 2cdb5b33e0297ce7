"""The command that keeps the report of a run of scheduled deletion."""

import httpx
import pytest

from devtools import retention_preview
from devtools.failures import CannotStartError
from devtools.ops import api
from devtools.ops.connection import Connection, local_connection


@pytest.fixture
def asked(monkeypatch):
    """Stand in for the API: note what was asked, and answer with what the test puts there."""
    found = {}

    def request(method, url, **more):
        found.update(method=method, url=url, **more)
        if isinstance(found["answer"], Exception):
            raise found["answer"]
        return found["answer"]

    monkeypatch.setattr(api.httpx, "request", request)
    connection = local_connection(functions_port=7071, issuer_port=7072)
    monkeypatch.setattr(Connection, "read", lambda _: connection)
    monkeypatch.setattr(retention_preview, "access_token", lambda *_: "made up")
    return found


@pytest.mark.clause("5.1")
def test_the_report_is_kept_as_it_was_sent(asked, tmp_path, monkeypatch):
    """In the language asked for, where it is wanted or under its day."""
    monkeypatch.chdir(tmp_path)
    asked["answer"] = httpx.Response(200, content="<p>blå</p>".encode())
    assert retention_preview.main(["--report", "2026-03-02", "--language", "da"]) == 0
    assert (tmp_path / "retention-2026-03-02.html").read_text("utf-8") == "<p>blå</p>"
    assert asked["method"] == "GET"
    assert asked["url"].endswith("/operations/retention/runs/2026-03-02")
    assert asked["headers"] == {"Authorization": "Bearer made up", "Accept-Language": "da"}
    assert retention_preview.main(["--report", "2026-03-02", "--out", "other.html"]) == 0
    assert (tmp_path / "other.html").exists()


def test_a_day_without_a_run_keeps_nothing(asked, tmp_path, monkeypatch, capsys):
    """It is code 1, and says why."""
    monkeypatch.chdir(tmp_path)
    asked["answer"] = httpx.Response(404, json={"code": "run_unknown", "title": "There is no such thing."})
    assert retention_preview.main(["--report", "../2026"]) == 1
    assert "run_unknown" in "".join(capsys.readouterr())
    assert asked["url"].endswith("/runs/..%2F2026")
    assert list(tmp_path.iterdir()) == []


def test_an_api_that_does_not_answer_is_one_sentence(asked):
    """As for every other command."""
    asked["answer"] = httpx.ConnectError("refused")
    with pytest.raises(CannotStartError, match="does not answer"):
        retention_preview.main(["--report", "2026-03-02"])


def test_a_preview_and_a_report_are_not_asked_for_together(asked):
    """One or the other."""
    with pytest.raises(SystemExit):
        retention_preview.main(["--preview", "--report", "2026-03-02"])
    assert asked == {}
