"""Judge what somebody fetched or received: data to take along, and what a customer got of one person."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

from devtools.demo.findings import Findings
from devtools.sample_data import Customer, SamplePerson
from devtools.sample_data.records import own_documents

_PORTABLE = ("members", "newsletter_signups", "orders")


def texts_of(data: bytes) -> dict[str, str]:
    """Return the text of each entry of an archive by its name; none where it is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()}
    except zipfile.BadZipFile:
        return {}


def judge_portable(data: bytes, person: SamplePerson, findings: Findings) -> None:
    """Note what is wrong with data to take along: each record as JSON with its schema, and as CSV.

    Data that rests on a legitimate interest has no place in it, and neither has what the data map does not
    call portable.
    """
    who = f"the data to take along of {person.key}"
    entries = texts_of(data)
    if not findings.expect("portability.json" in entries, f"{who} is no package to take along"):
        return
    wanted: dict[str, int] = {}
    for record in own_documents(person):
        if record.container in _PORTABLE:
            wanted[record.container] = wanted.get(record.container, 0) + 1
    found: dict[str, int] = {}
    for name, text in entries.items():
        parts = name.split("/")
        if parts[0] == "data" and name.endswith(".json"):
            found[parts[1]] = found.get(parts[1], 0) + len(json.loads(text))
            findings.expect(f"schema/{parts[1]}.schema.json" in entries, f"{who}: {name} has no schema")
            findings.expect(f"{name.removesuffix('.json')}.csv" in entries, f"{who}: {name} has no CSV")
    findings.equal(found, wanted, f"{who}: records by store")
    everything = "\n".join(entries.values())
    findings.expect(person.phone in everything, f"{who} lacks the telephone number")
    for secret in filter(None, (person.user_id, person.author_id)):
        findings.expect(secret not in everything, f"{who} holds an id of data that is not portable")
    for one in json.loads(entries["manifest.json"])["entries"]:
        content = entries.get(one["name"], "").encode()
        right = one["sha256"] == hashlib.sha256(content).hexdigest()
        findings.expect(right, f"{who}: {one['name']} is not what the manifest says")


def judge_customers(
    data: bytes, person: SamplePerson, theirs: Customer, others: Customer, findings: Findings
) -> None:
    """Note what is wrong with what a customer received about one person of its installation.

    It is told what is processed there, by counts; a copy, and anything from elsewhere, is the person's alone.
    """
    who = f"what {theirs.customer_id} received about {person.key}"
    entries = texts_of(data)
    if not findings.expect("about.json" in entries, f"{who} is no answer"):
        return
    counted = {
        store["id"]: store["records"]
        for activity in json.loads(entries["about.json"])["activities"]
        for store in activity["stores"]
    }
    for container in ("usage_events", "installations", "cloud_activity"):
        wanted = sum(
            record.container == container and record.body["customer_id"] == theirs.customer_id
            for record in own_documents(person)
        )
        findings.equal(counted.get(container), wanted, f"{who}: records of {container}")
    copied = sorted(name for name in entries if name.startswith(("data/", "files/")))
    findings.expect(not copied, f"{who} holds a copy: {copied}")
    everything = "\n".join(entries.values()).lower()
    elsewhere = (others.customer_id, *(one.installation_id for one in person.installations))
    for secret in (*elsewhere, *person.markers):
        findings.expect(secret.lower() not in everything, f"{who} holds {secret!r}")


def disclosed_to(data: bytes, customer_id: str) -> list[str]:
    """Return the ids of the rows of a copy's ledger that say that a customer asked for the person's data.

    One disclosure has a row for each pseudonym of the person, all of one id.
    """
    return [
        row["id"]
        for name, text in texts_of(data).items()
        if name.startswith("data/disclosures/") and name.endswith(".json")
        for row in json.loads(text)
        if row.get("recipient") == "customer" and row.get("reference") == customer_id
    ]
