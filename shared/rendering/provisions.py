"""Provisions of the law in the language of the reader. The map and the decisions cite them in English."""

import re

_ARTICLE = r"\d+(?:\(\w+\))*"
_CITATION = re.compile(
    rf"(?P<law>GDPR )?\b[Aa]rt(?:icles?|s?\.) (?P<articles>{_ARTICLE}(?:(?:, | and |, and ){_ARTICLE})*)"
)
_ACTS = {  # in English: in Danish, and in Danish before a section
    "Danish Bookkeeping Act": ("bogføringsloven", "bogføringslovens"),
    "Danish Data Protection Act": ("databeskyttelsesloven", "databeskyttelseslovens"),
    "Danish Marketing Practices Act": ("markedsføringsloven", "markedsføringslovens"),
}
_DEFINITIONS = "4"  # its paragraphs are numbers, not `stk.`


def provision_text(provision: str, language: str) -> str:
    """Return a provision for a reader of `language`.

    In Danish `GDPR article 17(3)(b)` becomes `databeskyttelsesforordningens artikel 17, stk. 3, litra b`;
    the acts known here get their Danish names. What is in no known form stays as it is.
    """
    if language != "da":
        return provision
    for act, (name, before_section) in _ACTS.items():
        provision = provision.replace(f"{act} §", f"{before_section} §").replace(act, name)
    return _CITATION.sub(_danish, provision)


def _danish(citation: re.Match[str]) -> str:
    articles = [_article(one) for one in re.findall(_ARTICLE, citation["articles"])]
    law = "databeskyttelsesforordningens " if citation["law"] else ""
    *others, last = articles
    if not others:
        return law + last
    joined = ", ".join(others)
    return f"{law}{joined}{',' if 'stk.' in others[-1] else ''} og {last}"


def _article(cited: str) -> str:
    number, *parts = re.findall(r"\w+", cited)
    paragraph = "nr." if number == _DEFINITIONS else "stk."
    named = [f"{paragraph} {part}" if part.isdigit() else f"litra {part}" for part in parts]
    return ", ".join((f"artikel {number}", *named))
