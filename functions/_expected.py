"""What may stand in a field, in words of ours: the value that was sent is not quoted."""

from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

DAY = "a day, written as 2026-11-23"
MOMENT = "a moment with its offset, written as 2026-11-23T09:15:00Z"
_OF_KIND = {
    "bool": "true or false",
    "date": DAY,
    "datetime": MOMENT,
    "dict": "an object",
    "list": "a list",
    "string": "a text",
    "timezone": MOMENT,
    "tuple": "a list",
}


def expected(model: type[BaseModel], error: ErrorDetails) -> str:
    """Return what the field at fault may hold. Empty: there is nothing to add to the code."""
    kind, given = error["type"], error.get("ctx", {})
    match kind:
        case "field_invalid":
            return error["msg"]
        case "enum" | "literal_error":
            listed = str(given["expected"]).replace("'", "").replace(" or ", ", ")
            return f"choose from: {listed}"
        case "missing":  # the name is ours: a field of the model
            return f"`{error['loc'][-1]}` has to be sent"
        case "extra_forbidden":
            return "choose from: " + ", ".join(_names(model)) if len(error["loc"]) == 1 else ""
        case "string_too_long":
            return f"at most {given['max_length']} characters"
        case "string_too_short":
            return f"at least {given['min_length']} characters"
        case "too_long":
            return f"at most {given['max_length']} values"
        case "too_short":
            return f"at least {given['min_length']} values"
        case "greater_than_equal" | "less_than_equal" | "int_type" | "int_parsing" | "int_from_float":
            return _range(model, error)
    return _OF_KIND.get(kind.partition("_")[0], "")


def _names(model: type[BaseModel]) -> list[str]:
    return [one.alias or name for name, one in model.model_fields.items()]


def _range(model: type[BaseModel], error: ErrorDetails) -> str:
    field = model.model_fields.get(str(error["loc"][0]))
    rules: list[Any] = [] if field is None else field.metadata
    least = next((one.ge for one in rules if hasattr(one, "ge")), None)
    most = next((one.le for one in rules if hasattr(one, "le")), None)
    return "a whole number" if least is None or most is None else f"a whole number from {least} to {most}"
