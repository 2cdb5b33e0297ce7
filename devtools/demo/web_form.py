"""Read the forms of a page, as a browser does before somebody presses a button."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin


@dataclass(kw_only=True)
class WebForm:
    """One form: where it sends to, how, and its fields with their values."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_of(html: str, *, page_url: str) -> list[WebForm]:
    """Return the forms of a page in order, their addresses made absolute. Empty: it has none."""
    reader = _Reader(page_url)
    reader.feed(html)
    reader.close()
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self, page_url: str) -> None:
        super().__init__()
        self._page_url = page_url
        self._inside = False
        self.forms: list[WebForm] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            action = urljoin(self._page_url, given.get("action") or "")
            self.forms.append(WebForm(action=action, method=(given.get("method") or "get").lower()))
            self._inside = True
        elif tag == "input" and self._inside and (name := given.get("name")):
            self.forms[-1].fields[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
