"""Requests through the running stack: real HTTP, queues, blobs and the Cosmos DB protocol."""

import io
import json
import zipfile

import pytest

from devtools.sample_data import Role, by_role

pytestmark = pytest.mark.platform


async def asked_and_confirmed(stranger, mailbox, address, rights):
    """File a request, press the mailed button, and return its id."""
    request_id = await stranger.ask(address, rights, language="en")
    mail = await mailbox.wait(
        address, lambda one: one.request_id == request_id and "verification" in one.links, what="the mail"
    )
    await stranger.confirm(mail.links["verification"])
    return request_id


async def answer_to(mailbox, address, request_id):
    """Return the mail that answers a request."""
    return await mailbox.wait(
        address,
        lambda one: one.request_id == request_id and "verification" not in one.links,
        what="the answer",
    )


@pytest.mark.clause("4.2")
@pytest.mark.clause("4.2.1")
@pytest.mark.clause("4.2.2")
async def test_a_person_gets_a_copy_of_everything_and_nothing_of_others(stranger, mailbox, everyone):
    """Every marker of the person's that any system holds is in the archive, nobody else's is."""
    person = by_role(everyone, Role.EVERYTHING)
    request_id = await asked_and_confirmed(stranger, mailbox, person.asks_as, ["access"])
    mail = await answer_to(mailbox, person.asks_as, request_id)
    archive = zipfile.ZipFile(io.BytesIO(await stranger.fetch_package(mail.links["package"])))
    assert archive.testzip() is None
    content = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist()).lower()
    for marker in person.markers:
        assert marker.lower() in content
    others = {marker for other in everyone if other is not person for marker in other.markers}
    leaked = sorted(marker for marker in others - set(person.markers) if marker.lower() in content)
    assert leaked == []


@pytest.mark.clause("4.4")
@pytest.mark.clause("4.4.1")
async def test_an_erased_person_is_not_found_any_more(stranger, mailbox, everyone):
    """Erase, then ask for a copy: only the register of the requests is left."""
    person = by_role(everyone, Role.CONSULTANT)
    request_id = await asked_and_confirmed(stranger, mailbox, person.asks_as, ["erasure"])
    await answer_to(mailbox, person.asks_as, request_id)
    again = await asked_and_confirmed(stranger, mailbox, person.asks_as, ["access"])
    mail = await answer_to(mailbox, person.asks_as, again)
    archive = zipfile.ZipFile(io.BytesIO(await stranger.fetch_package(mail.links["package"])))
    stores = {name.split("/")[1] for name in archive.namelist() if name.startswith(("data/", "files/"))}
    assert stores <= {"own_requests", "disclosures", "controls"}
    content = "".join(archive.read(name).decode() for name in archive.namelist()).lower()
    own = {person.asks_as.lower()}  # the address of this very request, until it is closed
    assert not [one for one in person.markers if one.lower() in content and one.lower() not in own]


@pytest.mark.clause("4.9.1")
@pytest.mark.clause("7.1")
async def test_every_answer_says_who_answers_and_where_to_complain(
    stranger, mailbox, everyone, running_platform
):
    """Also the answer that nothing is held."""
    person = by_role(everyone, Role.NO_DATA)
    settings = running_platform.environment
    for right in ("access", "erasure"):
        request_id = await asked_and_confirmed(stranger, mailbox, person.asks_as, [right])
        mail = await answer_to(mailbox, person.asks_as, request_id)
        for name in ("CONTROLLER_NAME", "CONTROLLER_EMAIL", "AUTHORITY_NAME", "AUTHORITY_EMAIL"):
            assert settings[name] in " ".join(mail.text.split())


async def test_known_and_unknown_addresses_get_the_same_answer(http, api, everyone):
    """But for the request's own id, byte for byte."""
    known = by_role(everyone, Role.ORDINARY).asks_as
    answers = []
    for address in (known, "nobody-at-all@people.example"):
        answer = await http.post(f"{api}/requests", json={"email": address, "right": "access"})
        body = answer.json()
        request_id = body.pop("request_id")
        headers = sorted(name for name in answer.headers if name != "date")
        answers.append((answer.status_code, body["status_url"].replace(request_id, ""), headers))
    assert answers[0] == answers[1]
    assert answers[0][0] == 202


async def test_opening_the_mailed_link_confirms_nothing(stranger, mailbox, http, api, everyone):
    """Mail scanners open links."""
    address = "scanned@people.example"
    request_id = await stranger.ask(address, ["erasure"], language="da")
    mail = await mailbox.wait(address, lambda one: one.request_id == request_id, what="the mail")
    for _ in range(2):
        assert (await http.get(mail.links["verification"])).status_code == 200
    assert (await http.get(f"{api}/requests/{request_id}")).json()["state"] == "received"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "body_invalid"),
        (b"[1]", "application/json", 400, "body_invalid"),
        (b"", "application/json", 400, "body_missing"),
        (b"x" * 20_000, "application/json", 413, "body_too_large"),
        (b"<a/>", "application/xml", 415, "media_type"),
        (b'{"email": "a@b.example", "right": "telepathy"}', "application/json", 400, "right_unknown"),
        (b'{"email": "a@b.example"}', "application/json", 400, "right_unknown"),
        (b'{"email": "no address", "right": "access"}', "application/json", 400, "email_invalid"),
        (b'{"email": "a@b.example", "right": "access", "x": 1}', "application/json", 400, "field_unknown"),
        (b"email=a%40b.example&right=access&language=xx", "application/x-www-form-urlencoded", 400, None),
    ],
)
async def test_bad_input_is_answered_with_a_stable_code(
    http, api, everyone, body, content_type, status, code
):
    """Problem details to programs, a page to people."""
    answer = await http.post(f"{api}/requests", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    if code is None:
        assert answer.headers["content-type"].startswith("text/html")
        return
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


async def test_a_chunked_body_is_told_what_to_do(http, api, everyone):
    """It reaches the app empty, as in Azure."""

    async def chunks():
        yield b'{"email": "a@b.example", '
        yield b'"right": "access"}'

    answer = await http.post(
        f"{api}/requests", content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "body_missing"


async def test_unknown_ids_and_wrong_tokens_tell_nothing(http, api, everyone):
    """No request, no difference."""
    unknown = "0" * 32
    assert (await http.get(f"{api}/requests/{unknown}")).status_code == 404
    for path in ("verification", "cancellation", "package", "package/deletion"):
        answer = await http.post(f"{api}/requests/{unknown}/{path}", json={"token": "1.x"})
        assert answer.status_code == 403
        assert answer.json()["code"] == "token_invalid"


async def test_health_is_good_when_all_is_configured(http, api, everyone):
    """Probes get 200."""
    answer = await http.get(f"{api}/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


async def test_logs_hold_no_address_and_no_link(stranger, mailbox, everyone, running_platform):
    """After a request went through, the host's log names it by its id only."""
    person = by_role(everyone, Role.LOG_ONLY)
    request_id = await asked_and_confirmed(stranger, mailbox, person.asks_as, ["access"])
    await answer_to(mailbox, person.asks_as, request_id)
    text = "".join(
        path.read_text(errors="replace") for path in running_platform.logs.rglob("*") if path.is_file()
    ).lower()
    assert [marker for marker in person.markers if marker.lower() in text] == []
    assert "token=" not in text


async def test_the_proof_names_nobody(stranger, mailbox, everyone, running_platform):
    """Counts, times and pseudonyms."""
    from azure.storage.blob.aio import BlobServiceClient

    person = by_role(everyone, Role.OLD_INVOICE)
    request_id = await asked_and_confirmed(stranger, mailbox, person.asks_as, ["erasure"])
    await answer_to(mailbox, person.asks_as, request_id)
    connection = running_platform.environment["STORAGE_CONNECTION"]
    async with BlobServiceClient.from_connection_string(connection) as service:
        blob = service.get_blob_client("evidence", f"{request_id}/erasure-0.json")
        proof = (await (await blob.download_blob()).readall()).decode()
    assert json.loads(proof)["erased_by_store"]
    assert not [marker for marker in person.markers if marker.lower() in proof.lower()]
