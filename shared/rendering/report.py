"""The access answer: everything GDPR article 15 asks for, readable and machine-readable, in one package.

Both forms are made from the same content (`report_content`), so that neither can say what the other hides.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from shared.datamap.models import DataMap
from shared.domain.times import utc_text
from shared.rendering.archive import Member
from shared.rendering.dates import day_text, moment_text
from shared.rendering.records import json_schema
from shared.rendering.report_content import report_content
from shared.rendering.report_facts import AccessReport, Disclosure, HeldFact, StoreFinding
from shared.rendering.templating import environment, render_page, to_bytes
from shared.rendering.words import words

__all__ = ["AccessReport", "Disclosure", "HeldFact", "StoreFinding", "report_content", "report_entries"]


def report_entries(
    datamap: DataMap, report: AccessReport, members: Sequence[Member]
) -> list[tuple[str, bytes]]:
    """Return the package's last entries: index.html, about.json, the schemas, README.txt, manifest.json.

    Args:
        datamap: What the policy says of each activity.
        report: What was found of this person.
        members: Every entry already in the package; the manifest lists them and the index links them.

    Raises:
        Permanent: `contacts_incomplete`: configure the missing contact before any answer is made.
        KeyError: a finding of a store the map does not have.
    """
    report.contacts.require_complete()
    content = report_content(datamap, report, members)
    entries = [
        ("index.html", to_bytes(_index(content, report))),
        ("about.json", _json(content)),
        *(
            (f"schema/{finding.store_id}.schema.json", _json(json_schema(datamap.store(finding.store_id)[1])))
            for finding in report.findings
            if finding.records or finding.files
        ),
        ("README.txt", to_bytes(_readme(report))),
    ]
    return [*entries, ("manifest.json", _json(_manifest(datamap, report, members, entries)))]


def _index(content: dict[str, Any], report: AccessReport) -> str:
    language = report.language
    context = {
        "w": words(language),
        "c": content,
        "day": lambda text: day_text(date.fromisoformat(text), language),
        "moment": lambda text: moment_text(datetime.fromisoformat(text), language),
    }
    return render_page("report.html.j2", context, language=language, styles=("base", "report"))


def _readme(report: AccessReport) -> str:
    template = environment(escaping=False).get_template("readme.txt.j2")
    return template.render(
        language=report.language,
        contacts=report.contacts,
        request_id=report.request_id,
        expires_on=moment_text(report.package_expires_at, report.language),
    )


def _manifest(
    datamap: DataMap,
    report: AccessReport,
    members: Sequence[Member],
    entries: Sequence[tuple[str, bytes]],
) -> dict[str, Any]:
    return {
        "request_id": report.request_id,
        "prepared_at": utc_text(report.prepared_at),
        "map_digest": datamap.digest,
        "entries": [
            *(
                {"name": member.name, "size_bytes": member.size_bytes, "sha256": member.sha256}
                for member in members
            ),
            *(
                {"name": name, "size_bytes": len(content), "sha256": sha256(content).hexdigest()}
                for name, content in entries
            ),
        ],
    }


def _json(value: Any) -> bytes:
    """Write an object with one line for each of its keys; indenting deeper costs ten times the time."""
    lines = (f"{json.dumps(name)}: {json.dumps(inner, ensure_ascii=False)}" for name, inner in value.items())
    return to_bytes("{\n" + ",\n".join(lines) + "\n}\n")
