"""The doors called as the host calls them, over a World instead of Azure."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlencode

import azure.functions as func
import pytest

import function_app  # noqa: F401  loading it makes the doors known
from shared import bootstrap
from shared.domain.staff import StaffRole
from tests.factories import World
from tests.fakes.staff import MemoryStaffTokens

STORAGE = "https://storage.example.invalid"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A World with two people, wired in place of the app."""
    made = World()
    made.add_person("ane")
    made.add_person("bo")
    wire(monkeypatch, made)
    return made


def wire(monkeypatch, world, *, staff_tokens=None, **settings) -> None:
    """Put a World in the app's place."""
    own = {"allowed_return_url": "", "allowed_origins": (), "days": lambda: {"PACKAGE_DAYS": 14}}
    values = SimpleNamespace(**{**own, **settings})
    app = SimpleNamespace(
        context=world.context,
        settings=values,
        download_origin=STORAGE,
        staff_tokens=staff_tokens or MemoryStaffTokens(),
    )
    monkeypatch.setattr(bootstrap, "app", lambda: app)


def call(
    handler: Callable,
    *,
    method: str = "POST",
    body: bytes | dict | None = None,
    form: dict | None = None,
    request_id: str | None = None,
    sign_up_id: str | None = None,
    **headers: str,
):
    """Return the coroutine of a door called with a JSON body, a form or raw bytes.

    Header names are given with underscores; `query_*` ones are query parameters.
    """
    params = {name[6:]: headers.pop(name) for name in list(headers) if name.startswith("query_")}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if form is not None:
        names.setdefault("content-type", FORM)
        body = urlencode(form, doseq=True).encode()
    elif isinstance(body, dict):
        names.setdefault("content-type", "application/json")
        body = json.dumps(body).encode()
    request = func.HttpRequest(
        method=method,
        url=f"http://127.0.0.1:7071/api/requests/{request_id or ''}",
        headers=names,
        params=params,
        route_params={
            **({"request_id": request_id} if request_id else {}),
            **({"sign_up_id": sign_up_id} if sign_up_id else {}),
        },
        body=body or b"",
    )
    return handler(request)


def webhook(secret: str, body: bytes, **headers: str) -> func.HttpRequest:
    """Return what the newsletter processor sends."""
    return func.HttpRequest(
        method="POST",
        url="http://127.0.0.1:7071/api/webhooks/campaign-monitor/",
        headers={
            "content-type": "application/json; charset=utf-8",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        params={},
        route_params={"secret": secret},
        body=body,
    )


def content(response: func.HttpResponse) -> dict:
    """Return a JSON answer's object."""
    return json.loads(response.get_body())


def problem(response: func.HttpResponse, status: int, code: str) -> dict:
    """Check a problem's form and return it."""
    assert response.status_code == status, response.get_body()
    assert response.mimetype == "application/problem+json"
    found = content(response)
    assert found["type"] == f"urn:clicklearn:problem:{code}"
    assert (found["status"], found["code"]) == (status, code)
    assert found["title"]
    assert response.headers["Cache-Control"] == "no-store"
    return found


@pytest.fixture
def tokens(monkeypatch, world):
    """Made-up members by token, in the app's place."""
    found = MemoryStaffTokens()
    wire(monkeypatch, world, staff_tokens=found)
    return found


@pytest.fixture
def everybody(tokens):
    """A token for each role; the administrator is one of customer c-1."""
    return {role: tokens.add(role.value, role, customer_ids=("c-1",)) for role in StaffRole}


@pytest.fixture
def operator(everybody):
    """The token of one."""
    return everybody[StaffRole.OPERATOR]


@pytest.fixture
def approver(everybody):
    """The token of one."""
    return everybody[StaffRole.APPROVER]
