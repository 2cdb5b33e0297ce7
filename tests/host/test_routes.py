"""Route templates and constraints."""

import pytest

from devtools.functions_host.routes import Route, Router, RouteTemplate

GUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/items", "/api/items", {}),
        ("api/items", "/API/Items/", {}),
        ("api/items", "/api/items/x", None),
        ("api/{id}", "/api/7", {"id": "7"}),
        ("api/{id}", "/api/", None),
        ("api/{id}", "/api/a/b", None),
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{id=5}", "/api", {"id": "5"}),
        ("api/{*rest}", "/api/a/b", {"rest": "a/b"}),
        ("api/{*rest}", "/api", {}),
        ("api/{a}-{b}", "/api/x-y", {"a": "x", "b": "y"}),
        ("api/{a}-{b}", "/api/xy", None),
        ("api/{file}.{ext}", "/api/a.b.c", {"file": "a.b", "ext": "c"}),
        ("api/{{x}}", "/api/{x}", {}),
        ("", "/", {}),
    ],
)
def test_template_matches_path(template, path, expected):
    assert RouteTemplate(template).match(path) == expected


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", "-5", "2147483648"),
        ("long", "2147483648", "9223372036854775808"),
        ("bool", "True", "yes"),
        ("guid", GUID, GUID[:-1]),
        ("guid", GUID.replace("-", ""), "urn:uuid:" + GUID),
        ("datetime", "2026-11-23", "2026-13-01"),
        ("decimal", "1.50", "1,5x"),
        ("double", "1e3", "ten"),
        ("float", "-0.5", "nan"),
        ("alpha", "abc", "ab1"),
        ("min(3)", "3", "2"),
        ("max(3)", "3", "4"),
        ("range(2,4)", "4", "5"),
        ("length(3)", "abc", "ab"),
        ("length(2,3)", "ab", "abcd"),
        ("minlength(2)", "ab", "a"),
        ("maxlength(2)", "ab", "abc"),
        ("regex(^a{{2}}$)", "aa", "aaa"),
        ("file", "a.txt", "a"),
        ("nonfile", "a", "a.txt"),
        ("int:min(1)", "1", "0"),
        ("required", "x", ""),
    ],
)
def test_constraint_decides(constraint, good, bad):
    template = RouteTemplate(f"r/{{v:{constraint}}}")
    assert template.match(f"/r/{good}") == {"v": good}
    assert template.match(f"/r/{bad}") is None


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "a}",
        "{}",
        "{a:unknown}",
        "{a:min(x)}",
        "{*a}/b",
        "{a?}/b",
        "{a}{b}",
        "{a}/{A}",
        "a//b",
        "{a:length}",
    ],
)
def test_malformed_template_is_refused(template):
    with pytest.raises(ValueError, match=r".+"):
        RouteTemplate(template)


def test_first_route_that_matches_path_and_method_wins():
    routes = [
        Route(template=RouteTemplate("{id}"), methods=frozenset({"POST"}), target="post"),
        Route(template=RouteTemplate("{id:int}"), methods=None, target="number"),
        Route(template=RouteTemplate("{id}"), methods=None, target="any"),
    ]
    router = Router(routes)
    assert router.find("GET", "/7") == ("number", {"id": "7"})
    assert router.find("GET", "/x") == ("any", {"id": "x"})
    assert router.find("POST", "/7") == ("post", {"id": "7"})
    assert router.find("GET", "/a/b") is None
