"""What queries mean: values, undefined, operators, functions, clauses. Evaluated without HTTP."""

import contextlib
import math
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.cosmos_emulator.sql.compiler import Environment
from devtools.cosmos_emulator.sql.errors import SqlError
from devtools.cosmos_emulator.sql.functions import BUILT_IN
from devtools.cosmos_emulator.sql.parser import parse
from devtools.cosmos_emulator.sql.pipeline import Groups, compile_query
from devtools.cosmos_emulator.sql.values import UNDEFINED, sort_key

NOW = 1_700_000_000.5  # 2023-11-14T22:13:20.5Z
DOCUMENT = {
    "id": "1",
    "n": 3,
    "half": 2.5,
    "s": "Hello",
    "t": True,
    "nil": None,
    "tags": ["a", "b", "b", 1],
    "items": [{"sku": "x", "qty": 2, "opt": {"c": 1}}, {"sku": "y", "qty": 5}],
    "deep": {"a": {"b": [10, 20]}},
    "order": "keyword",
    "value": "another",
    "odd name": 7,
    "when": "2024-02-29T12:30:45.1234567Z",
    "emoji": "a😀b",
}


def run(text: str, documents: list[dict[str, Any]] | None = None, **parameters: Any) -> list[Any]:
    environment = Environment({f"@{name}": value for name, value in parameters.items()}, {}, lambda: NOW)
    pipeline, width = compile_query(parse(text), environment)
    groups = Groups(pipeline)
    found = []
    for document in [DOCUMENT] if documents is None else documents:
        row = [document] + [UNDEFINED] * (width - 1)
        for _ in pipeline.combinations(row):
            if all(term(row) is True for _, term in pipeline.filters):
                if pipeline.is_grouped:
                    groups.add(row)
                else:
                    found.append(pipeline.project(row))
    if pipeline.is_grouped:
        found = [output for _, output in groups.outputs([UNDEFINED] * width)]
    return [output for output in found if output is not UNDEFINED]


U = UNDEFINED


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # paths
        ("c.n", 3),
        ("c.missing", U),
        ("c.missing.deeper", U),
        ("c.order", "keyword"),
        ("c.value", "another"),
        ('c["odd name"]', 7),
        ("c['n']", 3),
        ("c.deep.a.b[1]", 20),
        ("c.deep.a.b[2]", U),
        ("c.tags[0]", "a"),
        ("c.tags['0']", U),
        ("c.s.x", U),
        ("c[@name]", 3),
        # comparison: other types and undefined give undefined
        ("c.n = 3", True),
        ("c.n = 3.0", True),
        ("c.n = '3'", U),
        ("c.n != '3'", U),
        ("c.n != 4", True),
        ("c.n <> 4", True),
        ("c.missing = 1", U),
        ("c.missing != 1", U),
        ("c.nil = null", True),
        ("c.missing = null", U),
        ("c.t = 1", U),
        ("1 = true", U),
        ('c.s = "Hello"', True),
        ("c.s = 'hello'", False),
        ("c.tags = ['a', 'b', 'b', 1]", True),
        ("c.tags = ['a']", False),
        ("{'a': 1} = {'a': 1.0}", True),
        ("c.n > 2", True),
        ("c.n > 'a'", U),
        ("c.s < 'Hellp'", True),
        ("c.s >= 'Hello'", True),
        ("'b' > 'B'", True),
        ("'\\ud83d\\ude00' < '\\uffee'", True),
        ("false < true", True),
        ("null >= null", True),
        ("[1] < [2]", U),
        # logic
        ("c.n = 3 AND c.missing = 1", U),
        ("c.n = 4 AND c.missing = 1", False),
        ("c.n = 3 OR c.missing = 1", True),
        ("c.n = 4 OR c.missing = 1", U),
        ("NOT (c.missing = 1)", U),
        ("NOT c.t", False),
        ("NOT c.n", U),
        ("c.n AND c.t", U),
        ("not c.n = 4 and c.t", True),
        # membership
        ("c.n IN (1, 2, 3)", True),
        ("c.n IN (1, 2)", False),
        ("c.n IN ('a')", U),
        ("c.n NOT IN (1, 2)", True),
        ("c.missing IN (1)", U),
        ("c.n IN (c.half, 3)", True),
        ("c.t IN (1)", U),
        ("c.n BETWEEN 1 AND 3", True),
        ("c.n NOT BETWEEN 1 AND 2", True),
        ("c.s BETWEEN 1 AND 3", U),
        # LIKE
        ("c.s LIKE 'He%'", True),
        ("c.s LIKE 'h%'", False),
        ("c.s LIKE '_ello'", True),
        ("c.s LIKE '%l_'", True),
        ("c.s LIKE '[A-J]ello'", True),
        ("c.s LIKE '[^A-J]ello'", False),
        ("c.s NOT LIKE 'x%'", True),
        ("'50%' LIKE '50!%' ESCAPE '!'", True),
        ("'505' LIKE '50!%' ESCAPE '!'", False),
        ("'a.c' LIKE 'a.c'", True),
        ("'abc' LIKE 'a.c'", False),
        ("c.n LIKE '3'", U),
        # arithmetic and bits
        ("c.n + 1 * 2", 5),
        ("(c.n + 1) * 2", 8),
        ("c.n / 2", 1.5),
        ("c.n / 0", U),
        ("-7 % 3", -1),
        ("c.s + 'x'", U),
        ("-c.n", -3),
        ("~c.n", -4),
        ("5 & 3", 1),
        ("5 | 3", 7),
        ("5 ^ 3", 6),
        ("1 << 3", 8),
        ("-8 >> 1", -4),
        ("-1 >>> 28", 15),
        ("0x10", 16),
        ("1e3", 1000.0),
        (".5", 0.5),
        # strings, choice
        ("c.s || ' ' || 'World'", "Hello World"),
        ("c.s || 1", U),
        ("c.missing ?? 'other'", "other"),
        ("c.nil ?? 'other'", None),
        ("c.n > 2 ? 'big' : 'small'", "big"),
        ("c.missing ? 'yes' : 'no'", "no"),
        ("IIF(c.t, 1, 2)", 1),
        ("IIF(c.n, 1, 2)", 2),
        ('"a\\"b\\u0041\\n"', 'a"bA\n'),
        # constructors leave out undefined
        ("[c.n, c.missing, null]", [3, None]),
        ("{a: c.n, 'b': c.missing, \"c\": [1]}", {"a": 3, "c": [1]}),
        # type checks
        ("IS_DEFINED(c.nil)", True),
        ("IS_DEFINED(c.missing)", False),
        ("IS_NULL(c.nil)", True),
        ("IS_NULL(c.missing)", False),
        ("IS_STRING(c.s)", True),
        ("IS_NUMBER(c.t)", False),
        ("IS_BOOL(c.t)", True),
        ("IS_ARRAY(c.tags)", True),
        ("IS_OBJECT(c.deep)", True),
        ("IS_PRIMITIVE(c.nil)", True),
        ("IS_PRIMITIVE(c.tags)", False),
        ("IS_INTEGER(c.half)", False),
        # string functions
        ("CONTAINS(c.s, 'ell')", True),
        ("CONTAINS(c.s, 'ELL')", False),
        ("CONTAINS(c.s, 'ELL', true)", True),
        ("CONTAINS(c.n, '3')", U),
        ("STARTSWITH(c.s, 'he', true)", True),
        ("ENDSWITH(c.s, 'LO', false)", False),
        ("STRINGEQUALS(c.s, 'HELLO', true)", True),
        ("StringEquals(c.s, 'HELLO')", False),
        ("LOWER(c.s)", "hello"),
        ("UPPER(c.s)", "HELLO"),
        ("LENGTH(c.s)", 5),
        ("LENGTH(c.emoji)", 4),
        ("SUBSTRING(c.s, 1, 3)", "ell"),
        ("SUBSTRING(c.emoji, 3, 5)", "b"),
        ("CONCAT(c.s, '-', c.order)", "Hello-keyword"),
        ("CONCAT(c.s, c.n)", U),
        ("REPLACE(c.s, 'l', 'L')", "HeLLo"),
        ("INDEX_OF(c.s, 'l')", 2),
        ("INDEX_OF(c.s, 'l', 3)", 3),
        ("INDEX_OF(c.s, 'z')", -1),
        ("TRIM('  x ')", "x"),
        ("LTRIM('  x')", "x"),
        ("RTRIM('x  ')", "x"),
        ("LEFT(c.s, 2)", "He"),
        ("RIGHT(c.s, 2)", "lo"),
        ("RIGHT(c.s, 9)", "Hello"),
        ("REVERSE('abc')", "cba"),
        ("REPLICATE('ab', 3)", "ababab"),
        ("TOSTRING(c.n)", "3"),
        ("TOSTRING(1.0)", "1"),
        ("TOSTRING(c.t)", "true"),
        ("TOSTRING({'a': 1})", '{"a":1}'),
        ("STRINGTONUMBER('4.5')", 4.5),
        ("STRINGTONUMBER('x')", U),
        ("STRINGTOBOOLEAN('true')", True),
        ("STRINGTOARRAY('[1,2]')", [1, 2]),
        ("STRINGTOOBJECT('{\"a\":1}')", {"a": 1}),
        ("STRINGTONULL('null')", None),
        ("STRINGSPLIT('a,b', ',')", ["a", "b"]),
        ("REGEXMATCH(c.s, '^h', 'i')", True),
        ("REGEXMATCH(c.s, '^h')", False),
        # array functions
        ("ARRAY_CONTAINS(c.tags, 'a')", True),
        ("ARRAY_CONTAINS(c.tags, '1')", False),
        ("ARRAY_CONTAINS(c.tags, true)", False),
        ("ARRAY_CONTAINS(c.items, {'sku': 'x'})", False),
        ("ARRAY_CONTAINS(c.items, {'sku': 'x'}, true)", True),
        ("ARRAY_CONTAINS(c.items, {'opt': {'c': 1}}, true)", True),
        ("ARRAY_CONTAINS(c.s, 'a')", U),
        ("ARRAY_CONTAINS(@list, c.n)", True),
        ("ARRAY_LENGTH(c.tags)", 4),
        ("ARRAY_SLICE(c.tags, 1, 2)", ["b", "b"]),
        ("ARRAY_SLICE(c.tags, -1)", [1]),
        ("ARRAY_CONCAT([1], [2], [3])", [1, 2, 3]),
        ("ARRAY_CONTAINS_ANY(c.tags, 'z', 'b')", True),
        ("ARRAY_CONTAINS_ALL(c.tags, 'z', 'b')", False),
        ("SetIntersect([1, 2, 2, 3], [3, 2])", [2, 3]),
        ("SetUnion([1, 2], [2, 3])", [1, 2, 3]),
        # numbers
        ("ABS(-2)", 2),
        ("ROUND(2.5)", 3),
        ("ROUND(-2.5)", -3),
        ("FLOOR(2.7)", 2),
        ("CEILING(2.1)", 3),
        ("POWER(2, 3)", 8.0),
        ("SQRT(9)", 3.0),
        ("SQRT(-1)", U),
        ("SIGN(-3)", -1),
        ("LOG(0)", U),
        ("TRUNC(-2.7)", -2),
        # time
        ("GetCurrentDateTime()", "2023-11-14T22:13:20.5000000Z"),
        ("GetCurrentTimestamp()", 1_700_000_000_500),
        ("DateTimeAdd('mm', 12, c.when)", "2025-02-28T12:30:45.1234567Z"),
        ("DateTimeAdd('hh', -13, c.when)", "2024-02-28T23:30:45.1234567Z"),
        ("DateTimeAdd('day', 1, 'no date')", U),
        ("DateTimeDiff('day', '2024-02-28T23:59:59Z', c.when)", 1),
        ("DateTimeDiff('year', '2023-12-31T00:00:00Z', c.when)", 1),
        ("DateTimePart('dd', c.when)", 29),
        ("DateTimePart('ms', c.when)", 123),
        ("DateTimePart('weekday', '2024-02-29T00:00:00Z')", 5),
        ("DateTimeToTimestamp('2024-02-29T12:30:45Z')", 1_709_209_845_000),
        ("TimestampToDateTime(0)", "1970-01-01T00:00:00.0000000Z"),
        ("DateTimeFromParts(2024, 2, 30)", U),
        # sub-queries
        ("EXISTS(SELECT VALUE i FROM i IN c.items WHERE i.qty > 4)", True),
        ("EXISTS(SELECT VALUE i FROM i IN c.items WHERE i.qty > 5)", False),
        ("EXISTS(SELECT VALUE i FROM i IN c.missing)", False),
        ("ARRAY(SELECT VALUE i.sku FROM i IN c.items)", ["x", "y"]),
        ("ARRAY(SELECT i.sku FROM i IN c.items ORDER BY i.qty DESC)", [{"sku": "y"}, {"sku": "x"}]),
        ("(SELECT VALUE COUNT(1) FROM i IN c.items)", 2),
        ("(SELECT VALUE SUM(i.qty) FROM i IN c.items)", 7),
        ("ARRAY(SELECT DISTINCT VALUE t FROM t IN c.tags)", ["a", "b", 1]),
        ("(SELECT VALUE i.qty FROM i IN c.items WHERE i.sku = 'z')", U),
    ],
)
def test_an_expression_has_the_value_the_service_gives(expression, expected):
    environment = Environment({"@name": "n", "@list": [1, 3]}, {}, lambda: NOW)
    pipeline, width = compile_query(parse(f"SELECT VALUE {expression} FROM c"), environment)  # noqa: S608 - an emulated query
    row = [DOCUMENT] + [UNDEFINED] * (width - 1)
    value = pipeline.project(row)
    assert value is expected if expected is UNDEFINED else (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM c WHERE c.n = 3", [DOCUMENT]),
        ("SELECT * FROM c WHERE c.missing != 3", []),
        ("SELECT c.n, c.s AS text FROM c", [{"n": 3, "text": "Hello"}]),
        ("SELECT c.n + 1, c.missing, c.n - 1 FROM c", [{"$1": 4, "$2": 2}]),
        ("SELECT c.deep.a FROM c", [{"a": {"b": [10, 20]}}]),
        ("SELECT VALUE c.missing FROM c", []),
        ("SELECT t FROM c JOIN t IN c.tags WHERE IS_STRING(t)", [{"t": "a"}, {"t": "b"}, {"t": "b"}]),
        (
            "SELECT i.sku, t FROM c JOIN i IN c.items JOIN t IN c.tags WHERE t = 1",
            [{"sku": "x", "t": 1}, {"sku": "y", "t": 1}],
        ),
        ("SELECT VALUE t FROM t IN c.tags WHERE t != 'a'", ["b", "b"]),
        ("SELECT VALUE r.n FROM root r", [3]),
        ("SELECT VALUE x.n FROM anything AS x", [3]),
        ("SELECT VALUE b FROM c.deep.a.b", [[10, 20]]),
        ("SELECT VALUE s.k FROM c JOIN (SELECT VALUE {k: i.sku} FROM i IN c.items WHERE i.qty = 5) s", ["y"]),
        ("SELECT VALUE s.id FROM (SELECT c.id FROM c WHERE c.n = 3) AS s", ["1"]),
        ("select value c.n from c where c.s like 'H%'", [3]),
        ("SELECT VALUE COUNT(1) FROM c WHERE false", [0]),
        ("SELECT VALUE MAX(c.n) FROM c WHERE false", []),
        ("SELECT VALUE AVG(c.n) FROM c WHERE false", []),
        ("SELECT VALUE SUM(c.n) FROM c WHERE false", [0]),
        ("SELECT COUNT(1) AS many, MIN(c.n) AS low FROM c", [{"many": 1, "low": 3}]),
        ("SELECT VALUE COUNT(c.missing) FROM c", [0]),
        ("SELECT VALUE COUNTIF(c.n = 3) FROM c", [1]),
        ("SELECT VALUE SUM(c.s) FROM c", []),
        ("SELECT VALUE {total: SUM(i.qty), kinds: COUNT(1)} FROM i IN c.items", [{"total": 7, "kinds": 2}]),
        ("SELECT t, COUNT(1) AS n FROM c JOIN t IN c.tags GROUP BY t", [
            {"t": "a", "n": 1}, {"t": "b", "n": 2}, {"t": 1, "n": 1},
        ]),
        ("SELECT LOWER(c.s) AS low, COUNT(1) AS n FROM c GROUP BY LOWER(c.s)", [{"low": "hello", "n": 1}]),
    ],
)  # fmt: skip
def test_a_query_gives_the_rows_the_service_gives(query, expected):
    assert run(query) == expected


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELEC * FROM c", "Syntax error"),
        ("SELECT * FROM c WHERE", "Syntax error"),
        ("SELECT * FROM c WHERE c.n = ", "Syntax error"),
        ("SELECT * FROM c WHERE c.n == 3", "Syntax error"),
        ("SELECT * FROM c; DROP TABLE c", "invalid token"),
        ("SELECT * FROM c WHERE c.s = 'open", "invalid token"),
        ("SELECT * FROM c LIMIT 3", "OFFSET"),
        ("SELECT * FROM c WHERE x.n = 3", "could not be resolved"),
        ("SELECT VALUE NOSUCH(c.n) FROM c", "not a recognized built-in function"),
        ("SELECT VALUE LOWER() FROM c", "argument"),
        ("SELECT VALUE udf.f(c.n) FROM c", "User defined"),
        ("SELECT * FROM c WHERE c.n = @missing", "not supplied"),
        ("SELECT * FROM c JOIN t IN c.tags", "single input set"),
        ("SELECT c.n, COUNT(1) FROM c", "GROUP BY"),
        ("SELECT c.n, COUNT(1) FROM c GROUP BY c.s", "GROUP BY"),
        ("SELECT VALUE COUNT(1) FROM c GROUP BY c.s HAVING COUNT(1) > 1", "HAVING"),
        ("SELECT * FROM c WHERE COUNT(1) > 1", "not allowed here"),
        ("SELECT VALUE COUNT(*) FROM c", "COUNT"),
        ("SELECT VALUE COUNT(SUM(c.n)) FROM c", "not allowed here"),
        ("SELECT c.n, c.n FROM c", "duplicate column"),
        ("SELECT TOP -1 * FROM c", "Syntax error"),
        ("SELECT TOP 1.5 * FROM c", "whole number"),
        ("SELECT * FROM c ORDER BY RANK c.n", "RANK"),
        ("SELECT VALUE s FROM (SELECT DISTINCT c.n FROM c) AS s", "sub-query"),
        ("SELECT * FROM c WHERE " + "(" * 400 + "true" + ")" * 400, "nested too deeply"),
        ("SELECT VALUE " + "+".join(["1"] * 3000), "nested too deeply"),
        ("SELECT VALUE ST_DISTANCE(c.a, c.b) FROM c", "not a recognized"),
        ("INSERT INTO c VALUES (1)", "Syntax error"),
        ("", "Syntax error"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_reason(query, text):
    with pytest.raises(SqlError, match=text.replace("(", "\\(")):
        run(query)


def test_different_types_sort_in_the_order_of_the_service():
    values = [
        UNDEFINED,
        None,
        False,
        True,
        -2,
        -1.5,
        0,
        3,
        1e300,
        "",
        "B",
        "a",
        "\ud83d\ude00",
        "\uffee",
        [],
        {},
    ]
    assert sorted(values, key=sort_key) == values
    assert sort_key(1) == sort_key(1.0)
    assert sort_key(0.0) == sort_key(-0.0)
    assert sort_key([1]) == sort_key([2])


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


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", sorted(BUILT_IN))
@given(data=st.data())
def test_a_function_gives_a_json_value_or_undefined_for_any_arguments(name, data):
    built_in = BUILT_IN[name]
    count = data.draw(st.integers(built_in.minimum, min(built_in.maximum, built_in.minimum + 3)))
    value = built_in.call(*[data.draw(_ARGUMENTS) for _ in range(count)])
    assert value is UNDEFINED or orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    assert not isinstance(value, float) or math.isfinite(value)
