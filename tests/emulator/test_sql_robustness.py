"""No query text and no argument may break the evaluator."""

import contextlib
import math

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.cosmos_emulator.sql.errors import SqlError
from devtools.cosmos_emulator.sql.functions import BUILT_IN
from devtools.cosmos_emulator.sql.values import UNDEFINED
from tests.emulator.plain_queries import run

_WORDS = (
    *(
        "SELECT",
        "VALUE",
        "DISTINCT",
        "TOP",
        "FROM c",
        "WHERE",
        "ORDER BY",
        "GROUP BY",
        "JOIN t IN c.tags",
        "IN",
        "AS x",
    ),
    *(
        "c",
        "t",
        ".n",
        ".s",
        ".tags",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        "?",
        "??",
        "=",
        "!=",
        "<",
        ">=",
        "||",
    ),
    *(
        "AND",
        "OR",
        "NOT",
        "LIKE",
        "BETWEEN",
        "OFFSET 1 LIMIT 2",
        "1",
        "-2.5",
        "1e308",
        "'x'",
        '"Hello"',
        "@p",
        "null",
    ),
    *(
        "true",
        "undefined",
        "*",
        "+",
        "-",
        "/",
        "%",
        "<<",
        "COUNT(",
        "EXISTS(",
        "ARRAY(",
        "SUBSTRING(",
        "ROUND(",
        "'a',",
    ),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(_WORDS), max_size=20), st.text(max_size=3))
def test_any_words_are_either_answered_or_refused_but_never_break_the_emulator(words, rest):
    with contextlib.suppress(SqlError):
        run(" ".join(["SELECT VALUE", *words, rest]), p=3)


_ARGUMENTS = st.one_of(
    st.just(UNDEFINED), st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=5),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(-9, 9), max_size=3),
    st.just({"a": 1}), st.just("2024-02-29T12:30:45Z"),
    st.sampled_from(["year", "hh", "ns", "w", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z"]),
)  # fmt: skip


def test_a_bin_that_is_too_small_for_its_number_is_undefined():
    """The quotient is no number any more."""
    assert BUILT_IN["NUMBERBIN"].call(2, 1.1e-308) is UNDEFINED
    assert BUILT_IN["NUMBERBIN"].call(7, 2) == 6


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", sorted(BUILT_IN))
@given(data=st.data())
def test_a_function_gives_a_json_value_or_undefined_for_any_arguments(name, data):
    built_in = BUILT_IN[name]
    count = data.draw(st.integers(built_in.minimum, min(built_in.maximum, built_in.minimum + 3)))
    value = built_in.call(*[data.draw(_ARGUMENTS) for _ in range(count)])
    assert value is UNDEFINED or orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    assert not isinstance(value, float) or math.isfinite(value)
