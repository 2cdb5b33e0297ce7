"""The catalogue of problem codes: all that the code raises, and nothing else."""

import ast
import importlib
import itertools
import re
from pathlib import Path

import pytest

from functions import _bodies, _operations_bodies, _problem_codes, _request_bodies, _sign_up_bodies
from functions._problem_codes import CODES
from functions._statuses import status_of
from shared.domain import errors
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.rights import Right
from shared.domain.standing import RequesterKind, Verdict, standing

ROOT = Path(__file__).resolve().parents[2]
KINDS = {kind.__name__: kind for kind in CODES}
PASSED_ON = {  # the code comes from a table or from another error, which the tests below take in
    ("functions._bodies", "code"),
    ("shared.adapters.campaign_monitor_lists", "error.code"),
    ("shared.adapters.circuit_breaker", "self._code"),
    ("shared.bootstrap", "error.code"),
    ("shared.services.customers", "allowed.code or 'not_allowed'"),
    ("functions.http_disclosures", "error.code"),
    ("functions.http_opendsr", "error.code"),
    ("functions.http_processing", "error.code"),
    ("shared.adapters.circuit_breaker", "self._code"),
    ("shared.services.opendsr", "code"),
    ("shared.services.entering", "allowed.code or 'not_allowed'"),
}


def _raised() -> dict[tuple[str, str], set[str]]:
    """Return kind and pattern of each code to the modules that raise it."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in (*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/**/*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                pattern = _pattern(module, node.args[0])
                if pattern is not None:
                    found.setdefault((node.func.id, pattern), set()).add(module)
    return found


def _pattern(module: str, node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(module, one) for one in node.values)
    if (module, ast.unparse(node)) in PASSED_ON:
        return None
    constant = getattr(importlib.import_module(module), ast.unparse(node), None)
    assert constant, f"{module} raises {ast.unparse(node)}: say here where its codes come from"
    return re.escape(constant)


def _part(module: str, node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return re.escape(node.value)
    inner = node.value
    known = getattr(importlib.import_module(module), inner.id, None) if isinstance(inner, ast.Name) else None
    return ".+" if known is None else re.escape(known)


RAISED = _raised()


def test_every_kind_of_error_is_in_the_catalogue():
    """A new branch of the tree needs codes and a status."""
    kinds = {one for one in vars(errors).values() if isinstance(one, type)} - {errors.ComplianceError}
    assert set(CODES) == kinds


@pytest.mark.parametrize(("kind", "pattern"), sorted(RAISED), ids=lambda one: one)
def test_every_code_that_is_raised_has_a_sentence(kind, pattern):
    """Whoever gets a code finds out what to do about it."""
    assert any(re.fullmatch(pattern, code) for code in CODES[KINDS[kind]]), sorted(RAISED[kind, pattern])


def test_every_code_of_a_model_and_of_the_standing_has_a_sentence():
    """These come out of tables."""
    assert set(_bodies.REFUSALS) | set(_bodies._CODES.values()) | {"field_invalid"} <= CODES[Invalid].keys()
    assert _refused_standings() <= CODES[NotAllowed].keys()


def test_no_sentence_is_left_over():
    """A code that nothing raises any more is not promised to anybody."""
    tables = {
        *_bodies.REFUSALS,
        *_bodies._CODES.values(),
        "field_invalid",
        *_refused_standings(),
        "not_allowed",
    }
    patterns = {name: [one for kind, one in RAISED if kind == name] for name in KINDS}
    left_over = [
        code
        for kind, codes in CODES.items()
        for code in codes
        if code not in tables and not any(re.fullmatch(one, code) for one in patterns[kind.__name__])
    ]
    assert left_over == []
    assert _request_bodies  # its models fill the table of refusals
    assert _operations_bodies  # and so do these
    assert _sign_up_bodies


def test_codes_are_words_and_sentences_are_sentences():
    """One form for all."""
    for code, text in itertools.chain.from_iterable(codes.items() for codes in CODES.values()):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        assert re.fullmatch(r"[A-Z`].*\.", text), code


def test_a_code_without_a_sentence_is_an_error_of_ours():
    """A door that promises it does not load."""
    with pytest.raises(KeyError):
        _problem_codes.sentence("telepathy")
    assert _problem_codes.statuses("telepathy") == frozenset()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("package_gone", 410),
        ("lifting_announced", 409),
        ("request_unknown", 404),
        ("token_invalid", 403),
        ("media_type", 415),
    ],
)
def test_the_status_of_a_code_is_the_one_the_doors_give(code, status):
    """One table for both."""
    assert _problem_codes.statuses(code) == {status}
    assert code in _problem_codes.codes_of(status)
    kind = next(one for one, codes in CODES.items() if code in codes)
    assert status_of(kind, code) == status


def _refused_standings() -> set[str]:
    given = (
        standing(kind, right, has_mandate=has_mandate)
        for kind, right, has_mandate in itertools.product(RequesterKind, Right, (True, False))
    )
    return {one.code for one in given if one.verdict is Verdict.REFUSED and one.code}
