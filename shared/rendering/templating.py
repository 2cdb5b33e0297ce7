"""The templates: where they lie, how they escape, and the content security policy of what they make."""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
_CONTROL_PICTURES = 0x2400
_VISIBLE_CONTROLS = {
    code: chr(_CONTROL_PICTURES + code) for code in range(0x20) if chr(code) not in "\t\n\r"
} | {0x7F: "\u2421"}


def visible_text(text: str) -> str:
    """Return text with control characters made visible (NUL becomes `␀`); tab and line ends stay."""
    return text if text.isprintable() else text.translate(_VISIBLE_CONTROLS)


def _shown(value: Any) -> Any:
    return visible_text(value) if type(value) is str else value  # markup was made visible where it was made


@lru_cache
def environment(*, escaping: bool) -> Environment:
    """Return the environment of HTML (`escaping`) or of plain text; built on first use."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=escaping,  # noqa: S701 - off only for plain text letters, where & must stay &
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_shown,
    )


@lru_cache
def _style(names: tuple[str, ...]) -> Markup:
    return Markup("".join((TEMPLATES / f"{name}.css").read_text("utf-8") for name in names))  # noqa: S704 - our own style sheets, nothing from outside


@lru_cache
def content_security_policy(*styles: str, form_action: str = "'none'") -> str:
    """Return the policy of a page with these style sheets: nothing loads, nothing runs, only they apply."""
    digest = base64.b64encode(hashlib.sha256(_style(styles).encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {form_action}"


def render_page(
    template: str,
    context: Mapping[str, Any],
    *,
    language: str,
    styles: tuple[str, ...],
    form_action: str = "'none'",
) -> str:
    """Return a complete HTML page made from a template that extends `page.html.j2`."""
    return (
        environment(escaping=True)
        .get_template(template)
        .render(
            context,
            language="da" if language == "da" else "en",
            style=_style(styles),
            policy=content_security_policy(*styles, form_action=form_action),
        )
    )


def without_holes(text: str) -> str:
    """Return text with at most one empty line in a row; template tags leave more behind."""
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.rstrip()
        if stripped or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).rstrip() + "\n"


def to_bytes(text: str) -> bytes:
    r"""Return UTF-8; a lone surrogate, which UTF-8 cannot hold, is written as `\ud800` (valid in JSON)."""
    return text.encode("utf-8", "backslashreplace")
