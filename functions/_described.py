"""JSON Schema of what the doors read and answer: of a JSON body, and of the same body as an HTML form."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Mode = Literal["validation", "serialization"]
Key = tuple[type[BaseModel], Mode]
Schema = dict[str, Any]
COMPONENTS = "#/components/schemas/"
FORM = "Form"
"""What the name of a form's schema ends with."""


class Schemas:
    """The schemas of some models, each under a name of its own.

    `components`: every schema by name. A reference to one that is not there does not come about.
    """

    def __init__(self, models: Iterable[Key], *, forms: Iterable[type[BaseModel]] = ()) -> None:
        wanted = sorted(set(models), key=lambda one: (one[0].__name__, one[0].__module__, one[1]))
        references, whole = models_json_schema(wanted, ref_template=COMPONENTS + "{model}")
        self._references = {key: dict(found) for key, found in references.items()}
        self.components: dict[str, Schema] = dict(sorted(whole.get("$defs", {}).items()))
        for model in sorted(set(forms), key=lambda one: one.__name__):
            self.components[self.name(model, "validation") + FORM] = self._form(model)

    def reference(self, model: type[BaseModel], mode: Mode) -> Schema:
        """Return a reference to a model's schema."""
        return dict(self._references[model, mode])

    def name(self, model: type[BaseModel], mode: Mode) -> str:
        """Return the name under which a model's schema stands."""
        return str(self._references[model, mode]["$ref"]).removeprefix(COMPONENTS)

    def form(self, model: type[BaseModel]) -> Schema:
        """Return a reference to the schema of a model's form."""
        return {"$ref": f"{COMPONENTS}{self.name(model, 'validation')}{FORM}"}

    def repeated(self, model: type[BaseModel]) -> tuple[str, ...]:
        """Return the fields of a form that may be sent more than once."""
        properties = self.components[self.name(model, "validation") + FORM].get("properties", {})
        return tuple(name for name, one in properties.items() if _may_be(self._resolved(one), "array"))

    def fields(self, model: type[BaseModel]) -> Iterable[tuple[str, Schema, bool]]:
        """Return the fields of a query or of headers: name, schema, whether it has to be sent."""
        found = self.components[self.name(model, "validation")]
        required = found.get("required", ())
        return [(name, one, name in required) for name, one in found.get("properties", {}).items()]

    def _form(self, model: type[BaseModel]) -> Schema:
        """Return what a form may hold: an object's fields are sent as `object.field`, each with a text.

        Nothing in a form is null: a field is left out, or is an empty text.
        """
        found = self.components[self.name(model, "validation")]
        properties: dict[str, Schema] = {}
        patterns: dict[str, Schema] = {}
        for name, one in found.get("properties", {}).items():
            schema = self._resolved(one)
            inner = schema.get("additionalProperties")
            if isinstance(inner, dict) and _may_be(schema, "object"):
                patterns[rf"^{name}\..+$"] = inner
            elif _may_be(schema, "object"):
                properties |= {
                    f"{name}.{part}": deeper for part, deeper in schema.get("properties", {}).items()
                }
            else:
                properties[name] = _without_null(one)
        form = {key: value for key, value in found.items() if key != "properties"}
        form |= {"title": f"{found.get('title', '')}{FORM}", "properties": properties}
        form["required"] = [name for name in found.get("required", ()) if name in properties]
        if patterns:
            form["patternProperties"] = patterns
        return form

    def _resolved(self, schema: Schema) -> Schema:
        name = str(schema.get("$ref", "")).removeprefix(COMPONENTS)
        return self.components[name] if name else schema


def flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as the fields of a form, `corrections.name` for a field inside a field."""
    fields: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            fields |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            fields[name] = value
    return fields


def _may_be(schema: Schema, kind: str) -> bool:
    choices = [schema, *schema.get("anyOf", ())]
    return any(one.get("type") == kind for one in choices)


def _without_null(schema: Schema) -> Schema:
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if not choices:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})
