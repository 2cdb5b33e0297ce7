"""The description of the doors: valid, honest, complete."""

import itertools
import json
import re
from collections.abc import Iterator

import azure.functions as func
import pytest
import schemathesis
from pydantic import BaseModel

import function_app
from functions._bodies import nested
from functions._door import DOORS, Given, door
from functions._examples import EXAMPLES
from functions._openapi import description
from functions._problem_codes import OF_A_BODY, codes_of, statuses
from functions.http_openapi import show
from tests.triggers.conftest import FORM, call, content

SERVER = "https://compliance.example/api"
METHODS = {"get", "post", "put", "delete", "options"}


@pytest.fixture(scope="module")
def described() -> dict:
    """The description, as it goes over the wire."""
    return json.loads(json.dumps(description(server_url=SERVER)))


def operations(described: dict) -> Iterator[tuple[str, str, dict]]:
    """Return path, method and operation of each door."""
    for path, item in described["paths"].items():
        for method in item.keys() & METHODS:
            yield path, method, item[method]


def walked(value: object) -> Iterator[dict]:
    """Return every object in it."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from walked(one)


def test_it_is_openapi_3_1(described):
    """By the official schema, as one of the programs sees it that will read it."""
    assert described["openapi"] == "3.1.0"
    schema = schemathesis.openapi.from_dict(described)
    schema.validate()
    assert sum(1 for _ in schema.get_all_operations()) == len(DOORS)


def test_the_official_schema_would_refuse_a_wrong_one(described):
    """The check above can fail."""
    wrong = {**described, "paths": {"/x": {"get": {"responses": {"200": {"content": 5}}}}}}
    with pytest.raises(Exception, match=r"not valid under any of|is not of type|required property"):
        schemathesis.openapi.from_dict(wrong).validate()


def test_every_http_function_is_described_and_nothing_else(described):
    """By the functions the host finds."""
    found = set()
    for function in function_app.app.get_functions():
        trigger = json.loads(function.get_function_json())["bindings"][0]
        if trigger["type"] == "httpTrigger":
            path = "/" + re.sub(r":[^}]*", "", trigger["route"])
            found |= {(function.get_function_name(), path, method.lower()) for method in trigger["methods"]}
    assert found == {(one["operationId"], path, method) for path, method, one in operations(described)}
    assert set(DOORS) == {name for name, _, _ in found}


def test_names_are_unique(described):
    """A generated client makes one function of each."""
    names = [one["operationId"] for _, _, one in operations(described)]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(described):
    """Inside the document only."""
    for one in walked(described):
        if isinstance(one.get("$ref"), str):
            place = described
            for part in one["$ref"].removeprefix("#/").split("/"):
                place = place[part]


def test_every_schema_is_referred_to(described):
    """Nothing is described that no door takes or gives."""
    referred = {
        one["$ref"].rpartition("/")[2] for one in walked(described) if isinstance(one.get("$ref"), str)
    }
    assert referred == described["components"]["schemas"].keys()


def test_every_path_parameter_is_declared(described):
    """And none that the path does not have."""
    for path, _, one in operations(described):
        declared = {each["name"] for each in one["parameters"] if each["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_a_stranger_is_told_what_each_door_does(described):
    """A summary, a description, a tag that is explained."""
    explained = {tag["name"] for tag in described["tags"] if tag.get("description")}
    for path, method, one in operations(described):
        assert one["summary"], (path, method)
        assert len(one["summary"]) <= 120, one["summary"]
        assert one["description"].endswith("."), (path, method)
        assert set(one["tags"]) <= explained, (path, method)


def test_guards_are_schemes_of_the_document(described):
    """A door that wants a credential says which."""
    schemes = described["components"]["securitySchemes"]
    wanted = {
        name for _, _, one in operations(described) for each in one.get("security", ()) for name in each
    }
    assert wanted == schemes.keys()
    for name, one in DOORS.items():
        item = described["paths"]["/" + re.sub(r":[^}]*", "", one.route)][one.method.lower()]
        assert ("security" in item) == (one.guard not in ("none", "token")), name


def test_every_door_may_fail_and_say_so_with_a_problem(described):
    """409, 500 and 503 everywhere; each refusal is problem details, or a page for a browser.

    A door that speaks a protocol of somebody else says what its own refusals look like.
    """
    for path, method, one in operations(described):
        assert {"409", "500", "503"} <= one["responses"].keys(), (path, method)
        for status, response in one["responses"].items():
            if int(status) >= 400 and int(status) not in DOORS[one["operationId"]].answers:
                assert response["content"].keys() == {"application/problem+json", "text/html"}


def test_a_door_with_a_body_may_refuse_it(described):
    """Wrong, too large, of another media type."""
    for path, method, one in operations(described):
        if "requestBody" in one:
            assert {"400", "413", "415"} <= one["responses"].keys(), (path, method)
        assert ("404" in one["responses"]) >= ("{" in path), (path, method)


def test_every_code_a_door_names_has_a_sentence_and_a_status(described):
    """A door cannot promise a code that nobody explains."""
    for name, one in DOORS.items():
        for code in one.codes or ():
            assert statuses(code), (name, code)
            assert statuses(code) <= {*one.problems, *one.answers}, (name, code)


def test_a_refusal_lists_its_codes(described):
    """Only those the door names, each with its sentence."""
    refused = described["paths"]["/requests/{request_id}/cancellation"]["post"]["responses"]["409"]
    assert "`too_late`: " in refused["description"]
    refused = described["paths"]["/requests/{request_id}/cancellation"]["post"]["responses"]["403"]
    schema = refused["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][1] == {"properties": {"code": {"enum": ["token_expired", "token_invalid"]}}}


def test_an_undeclared_door_may_give_any_code_of_its_status():
    """What a door does not say is not made up."""
    blueprint = func.Blueprint()

    class Taken(BaseModel):
        """Something."""

    async def something(req: func.HttpRequest) -> func.HttpResponse:
        """Do something."""
        return func.HttpResponse()

    try:
        door(blueprint, "x", "POST", "x/{y}", Given(body=Taken, answers={204: None}, problems=(403,)))(
            something
        )
        assert DOORS["x"].codes is None
        assert set(DOORS["x"].problems) == {400, 403, 404, 409, 413, 415, 500, 503}
        made = description(server_url=SERVER)["paths"]["/x/{y}"]["post"]["responses"]
        assert all(f"`{code}`" in made["403"]["description"] for code in codes_of(403))
        door(blueprint, "x", "POST", "x", Given(body=Taken, answers={204: None}, codes=()))(something)
        assert DOORS["x"].codes == tuple(sorted(OF_A_BODY))
    finally:
        DOORS.pop("x", None)


@pytest.mark.parametrize("name", sorted(name for name, one in DOORS.items() if one.body))
def test_the_examples_of_a_body_are_read_by_the_door_itself(name, described):
    """What a stranger copies works, as JSON and as a form, and holds nobody's data."""
    one = DOORS[name]
    item = described["paths"]["/" + re.sub(r":[^}]*", "", one.route)][one.method.lower()]
    for media_type, content_of in item["requestBody"]["content"].items():
        examples = [each["value"] for each in content_of["examples"].values()]
        assert examples
        for example in examples:
            one.body.model_validate(nested(example) if media_type == FORM else example)
        assert not re.search(r"@(?!people\.example)", json.dumps(examples))


def test_there_is_no_example_of_a_door_that_is_gone():
    """By name."""
    assert {name for name, one in DOORS.items() if one.body} == EXAMPLES.keys()


def test_a_form_has_no_objects_and_no_nulls(described):
    """A fact to correct is sent as a field of its own, `corrections.name`."""
    for name, schema in described["components"]["schemas"].items():
        if name.endswith("Form"):
            for one in itertools.chain(
                schema["properties"].values(), schema.get("patternProperties", {}).values()
            ):
                kinds = {each.get("type", "string") for each in (one, *one.get("anyOf", ()))}
                assert kinds <= {"string", "array", "integer", "number", "boolean"}, (name, one)
    form = described["components"]["schemas"]["SubmitBodyForm"]
    assert set(form["patternProperties"]) == {r"^corrections\..+$"}
    assert "corrections" not in form["properties"]


def test_a_field_of_a_form_that_may_come_twice_is_encoded_so(described):
    """One field for each value."""
    body = described["paths"]["/requests"]["post"]["requestBody"]["content"][
        "application/x-www-form-urlencoded"
    ]
    assert body["encoding"] == {
        name: {"style": "form", "explode": True} for name in ("right", "rights", "objects_to")
    }


def test_one_right_may_be_a_text_or_a_list(described):
    """As the reader takes it."""
    fields = described["components"]["schemas"]["SubmitBody"]["properties"]
    one, several = fields["right"]["anyOf"]
    assert one == {"$ref": "#/components/schemas/Right"}
    assert (several["type"], several["items"], several["minItems"]) == ("array", one, 1)
    assert {"null"} == {each["type"] for each in fields["language"]["anyOf"]} - {"string"}
    assert [each["enum"] for each in fields["language"]["anyOf"] if "enum" in each] == [["en", "da", ""]]


def test_headers_are_declared(described):
    """The key that makes a retry harmless, where to look, how long to wait."""
    submit = described["paths"]["/requests"]["post"]
    (key,) = [one for one in submit["parameters"] if one["in"] == "header"]
    assert (key["name"], key["required"], key["schema"]["maxLength"]) == ("Idempotency-Key", False, 200)
    assert submit["responses"]["202"]["headers"].keys() == {"Location"}
    assert submit["responses"]["303"]["headers"]["Location"]["required"]
    assert submit["responses"]["429"]["headers"]["Retry-After"]["required"]


def test_the_length_of_an_id_is_declared(described):
    """The host looks at it before the door does."""
    (one,) = described["paths"]["/requests/{request_id}"]["get"]["parameters"]
    assert one["schema"] == {"type": "string", "minLength": 32, "maxLength": 32}


async def test_the_door_answers_with_it(world):
    """As JSON, with the address the app is reached by."""
    response = await call(show, method="GET")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert content(response) == json.loads(json.dumps(description(server_url=world.context.public_url)))
