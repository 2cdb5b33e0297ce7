"""The few small pages behind the links of a letter. Opening one changes nothing; pressing its button does.

Mail scanners open every link, so the page only shows a form and the form's POST acts. The token travels
in the form's hidden field `token`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from jinja2.filters import do_filesizeformat

from shared.domain.rights import Right
from shared.rendering.dates import moment_text
from shared.rendering.templating import content_security_policy, render_page
from shared.rendering.words import words

_STYLES = ("base", "door")
_SELF = "'self'"


class ShownChoice(Protocol):
    """One box of a page to choose on."""

    @property
    def purpose_id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def is_on(self) -> bool: ...


def page_headers(*, download_origin: str | None = None) -> dict[str, str]:
    """Return the headers every page is sent with; they repeat and widen what the page says in its head.

    `download_origin`: as in `package_page`.
    """
    policy = content_security_policy(*_STYLES, form_action=_form_action(download_origin))
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }


def verification_page(
    *, language: str, action_url: str, token: str, rights: Sequence[Right], in_words: bool = False
) -> str:
    """Return the page on which a person confirms a request; the form posts `token` to `action_url`.

    `in_words`: beside `rights` there are words that name none.
    """
    w = words(language)
    asked = [*(getattr(w, f"asks_{right}") for right in rights), *([w.asks_in_words] if in_words else [])]
    lead = w.door_confirm_lead if rights else w.door_confirm_words
    return _page(
        language,
        w.door_confirm_title,
        [lead.format(rights="; ".join(asked)), w.door_confirm_text],
        forms=[{"action": action_url, "label": w.door_confirm_button, "text": ""}],
        token=token,
        small=w.door_confirm_other,
    )


def cancellation_page(*, language: str, action_url: str, token: str) -> str:
    """Return the page on which a person cancels a request; the form posts `token` to `action_url`."""
    w = words(language)
    return _page(
        language,
        w.door_cancel_title,
        [w.door_cancel_text],
        forms=[{"action": action_url, "label": w.door_cancel_button, "text": ""}],
        token=token,
        small=w.door_cancel_other,
    )


def answer_page(*, language: str, action_url: str, token: str) -> str:
    """Return the page on which a person answers a question; the form posts `token` and `text`."""
    w = words(language)
    return _page(
        language,
        w.door_answer_title,
        [w.door_answer_text],
        forms=[
            {"action": action_url, "label": w.door_answer_button, "text": "", "asks": w.door_answer_label}
        ],
        token=token,
        small=w.door_answer_other,
    )


def package_page(
    *,
    language: str,
    download_url: str,
    delete_url: str,
    token: str,
    size_bytes: int,
    expires_at: datetime,
    download_origin: str | None = None,
) -> str:
    """Return the page on which a person fetches a copy, or has it deleted early.

    Args:
        language: Of the words.
        download_url: Where the first form posts `token`; its answer is the file or a redirect to it.
        delete_url: Where the second form posts `token`.
        token: Proves that the link is the person's.
        size_bytes: Of the copy.
        expires_at: Until when it can be fetched.
        download_origin: `https://host` of the storage when the download redirects there: browsers apply
            the form policy to the redirect too. None: no redirect to elsewhere.
    """
    w = words(language)
    size = do_filesizeformat(size_bytes)
    if language == "da":
        size = size.replace(".", ",")
    text = w.door_package_text.format(size=size, until=moment_text(expires_at, language))
    return _page(
        language,
        w.door_package_title,
        [text],
        forms=[
            {"action": download_url, "label": w.door_package_button, "text": ""},
            {"action": delete_url, "label": w.door_package_delete_button, "text": w.door_package_delete},
        ],
        token=token,
        form_action=_form_action(download_origin),
    )


def join_page(*, language: str, action_url: str, token: str, titles: Sequence[str]) -> str:
    """Return the page on which a person confirms a newsletter sign-up; the form posts `token`."""
    w = words(language)
    return _page(
        language,
        w.door_join_title,
        [w.door_join_text.format(titles="; ".join(titles))],
        forms=[{"action": action_url, "label": w.door_join_button, "text": ""}],
        token=token,
        small=w.door_confirm_other,
    )


def leave_page(*, language: str, action_url: str, token: str) -> str:
    """Return the page on which a person leaves a newsletter; the form posts `token`."""
    w = words(language)
    return _page(
        language,
        w.door_leave_title,
        [w.door_leave_text],
        forms=[{"action": action_url, "label": w.door_leave_button, "text": ""}],
        token=token,
    )


def choice_page(*, language: str, action_url: str, token: str, choices: Sequence[ShownChoice]) -> str:
    """Return the page on which a person chooses; the form posts `token` and a `purposes` for each tick."""
    w = words(language)
    return _page(
        language,
        w.door_choose_title,
        [w.door_choose_text],
        forms=[{"action": action_url, "label": w.door_choose_button, "text": "", "choices": choices}],
        token=token,
    )


def result_page(*, language: str, title: str, messages: Sequence[str]) -> str:
    """Return a page that says how something went, in one or several paragraphs."""
    return _page(language, title, messages)


def error_page(*, language: str, title: str, message: str, code: str) -> str:
    """Return a page that says what went wrong and what to do; `code` is for whoever is asked for help."""
    return _page(language, title, [message], small=f"{words(language).door_error_code}: {code}")


def _form_action(download_origin: str | None) -> str:
    return f"{_SELF} {download_origin}" if download_origin else _SELF


def _page(
    language: str,
    title: str,
    texts: Sequence[str],
    *,
    forms: Sequence[dict[str, Any]] = (),
    token: str = "",
    small: str = "",
    form_action: str = _SELF,
) -> str:
    context = {"title": title, "texts": texts, "forms": forms, "token": token, "small": small}
    return render_page(
        "door.html.j2",
        context,
        language=language,
        styles=_STYLES,
        form_action=form_action,
    )
