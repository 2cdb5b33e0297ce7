"""Compare a Python function with its bindings, by the rules of the Python worker."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import azure.functions as func

from devtools.functions_host.functions import (
    HTTP_TRIGGER,
    QUEUE_TRIGGER,
    TIMER_TRIGGER,
    Binding,
    LoadedFunction,
    OutputSpec,
)

RETURN = "$return"
KNOWN_TRIGGERS = frozenset({HTTP_TRIGGER, QUEUE_TRIGGER, TIMER_TRIGGER})
KNOWN_OUTPUTS = frozenset({"http", "queue"})


@dataclass(frozen=True, kw_only=True)
class SignatureReading:
    """Hold a function as read, or why the worker would not take it.

    Attributes:
        function: None when there are problems.
        problems: Sentences; empty when all is well.
    """

    function: LoadedFunction | None
    problems: tuple[str, ...] = ()

    def with_retry(self, retry: Mapping[str, str] | None) -> LoadedFunction:
        """Return the function with its retry policy. Must not be called when there are problems."""
        if self.function is None:
            raise ValueError("a function with problems has no retry policy")
        return replace(self.function, retry=retry)


@dataclass(kw_only=True)
class _Check:
    """Collects what is wrong with one function while its parts are read."""

    annotations: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)

    def input_type(self, binding: Binding) -> type[str | bytes] | None:
        name, annotation = binding["name"], self.annotations.get(binding["name"])
        if annotation is None:
            return None
        if _is_out(annotation):
            self.problems.append(f"the parameter {name!r} is an input but is annotated with func.Out")
            return None
        if annotation in (str, bytes) and binding["type"] != HTTP_TRIGGER:
            return typing.cast("type[str | bytes]", annotation)
        self._check_type(binding, annotation, "check_input_type_annotation")
        return None

    def output(self, binding: Binding) -> OutputSpec:
        name, annotation = binding["name"], self.annotations.get(binding["name"])
        if annotation is None:
            return OutputSpec(argument=name, binding=binding)
        if not _is_out(annotation) or len(typing.get_args(annotation)) != 1:
            self.problems.append(f"the output {name!r} must be annotated with func.Out[...]")
            return OutputSpec(argument=name, binding=binding)
        inner = typing.get_args(annotation)[0]
        if inner in (str, bytes):
            return OutputSpec(argument=name, binding=binding, is_plain_text=True)
        self._check_type(binding, inner, "check_output_type_annotation")
        return OutputSpec(argument=name, binding=binding)

    def returned(self, binding: Binding) -> OutputSpec:
        annotation = self.annotations.get("return", inspect.Parameter.empty)
        if annotation is not inspect.Parameter.empty:
            if not _is_plain_class(annotation):
                self.problems.append(f"the return annotation {annotation!r} is not a plain class")
            else:
                self._check_type(binding, annotation, "check_output_type_annotation")
        return OutputSpec(argument=RETURN, binding=binding)

    def _check_type(self, binding: Binding, annotation: Any, check: str) -> None:
        converter = func.get_binding_registry().get(binding["type"])  # type: ignore[no-untyped-call] # library
        if not _is_plain_class(annotation) and typing.get_origin(annotation) is None:
            self.problems.append(f"the annotation {annotation!r} of {binding['name']!r} is not a type")
            return
        try:
            accepted = getattr(converter, check)(annotation)
        except TypeError:
            # The library's checks are issubclass calls, which generics such as list[str] make fail.
            accepted = False
        if not accepted:
            self.problems.append(
                f"the annotation {annotation!r} of {binding['name']!r} "
                f"does not fit the binding {binding['type']}"
            )


def read_signature(
    name: str, call: Callable[..., Any], bindings: Sequence[Binding], *, trigger_name: str
) -> SignatureReading:
    """Match a function's parameters and annotations with its bindings.

    Args:
        name: The function's name in the app.
        call: The user's function.
        bindings: Its bindings, the trigger's included.
        trigger_name: Parameter of the trigger.
    """
    try:
        annotations = typing.get_type_hints(call)
        parameters = set(inspect.signature(call).parameters)
    except (NameError, TypeError, ValueError) as error:
        return SignatureReading(function=None, problems=(f"its annotations cannot be read: {error}",))
    check = _Check(annotations=annotations)
    trigger = next(binding for binding in bindings if binding["name"] == trigger_name)
    bound = {binding["name"] for binding in bindings} - {RETURN}
    wants_context = "context" in parameters and "context" not in bound
    if wants_context:
        parameters.discard("context")
        if not _is_context(annotations.get("context", func.Context)):
            check.problems.append("the parameter 'context' must be annotated with func.Context or not at all")
    check.problems += _unsupported(trigger, bindings)
    for missing in sorted(parameters - bound):
        check.problems.append(f"the parameter {missing!r} has no binding")
    for missing in sorted(bound - parameters):
        check.problems.append(f"the binding {missing!r} has no parameter")
    if check.problems:
        return SignatureReading(function=None, problems=tuple(check.problems))
    plain_input = check.input_type(trigger)
    others = [binding for binding in bindings if binding is not trigger and binding["name"] != RETURN]
    returning = next((binding for binding in bindings if binding["name"] == RETURN), None)
    function = LoadedFunction(
        name=name,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        trigger=trigger,
        bindings=tuple(bindings),
        plain_input=plain_input,
        outputs=tuple(check.output(binding) for binding in others),
        returns=None if returning is None else check.returned(returning),
        wants_context=wants_context,
    )
    if check.problems:
        return SignatureReading(function=None, problems=tuple(check.problems))
    return SignatureReading(function=function)


def _unsupported(trigger: Binding, bindings: Sequence[Binding]) -> list[str]:
    problems = []
    if trigger["type"] not in KNOWN_TRIGGERS:
        problems.append(f"this local host has no {trigger['type']} (HTTP, Queue and Timer only)")
    for binding in bindings:
        if binding is trigger:
            continue
        if binding["direction"] != "OUT" or binding["type"] not in KNOWN_OUTPUTS:
            problems.append(f"this local host has no {binding['type']} binding for {binding['name']!r}")
    return problems


def _is_out(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    return inspect.isclass(origin) and issubclass(origin, func.Out)


def _is_context(annotation: Any) -> bool:
    return inspect.isclass(annotation) and annotation.__name__ == "Context"


def _is_plain_class(annotation: Any) -> bool:
    return inspect.isclass(annotation) and typing.get_origin(annotation) is None
