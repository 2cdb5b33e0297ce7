"""Functions of an app as the host sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HTTP_TRIGGER = "httpTrigger"
QUEUE_TRIGGER = "queueTrigger"
TIMER_TRIGGER = "timerTrigger"

Binding = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """One place a function can write to.

    Attributes:
        argument: Name of the parameter, or `$return`.
        binding: The binding as the library states it.
        is_plain_text: Whether the annotation says `str` or `bytes`, which takes the binding's own converter
            out of the way.
    """

    argument: str
    binding: Binding
    is_plain_text: bool = False


@dataclass(frozen=True, kw_only=True)
class LoadedFunction:
    """One function, ready to be called.

    Attributes:
        name: Its name in the app.
        call: The user's function.
        is_async: Whether calling it gives a coroutine.
        trigger: The trigger's binding.
        bindings: All bindings, the trigger's included.
        plain_input: `str` or `bytes` when the trigger's parameter is annotated so.
        outputs: Output parameters, `$return` not included.
        returns: What the return value is for; None means that there must be none.
        wants_context: Whether it has a `context` parameter.
        retry: The library's retry policy dictionary, if any.
        is_disabled: Whether a setting switches it off.
    """

    name: str
    call: Callable[..., Any]
    is_async: bool
    trigger: Binding
    bindings: tuple[Binding, ...]
    plain_input: type[str | bytes] | None = None
    outputs: tuple[OutputSpec, ...] = ()
    returns: OutputSpec | None = None
    wants_context: bool = False
    retry: Mapping[str, str] | None = None
    is_disabled: bool = False

    @property
    def trigger_type(self) -> str:
        """Return the trigger's type, such as `queueTrigger`."""
        return str(self.trigger["type"])

    @property
    def trigger_argument(self) -> str:
        """Return the name of the parameter that receives the trigger."""
        return str(self.trigger["name"])

    @property
    def route(self) -> str:
        """Return an HTTP function's route without the prefix: its name when the route is blank."""
        return str(self.trigger.get("route") or "").strip("/") or self.name

    @property
    def methods(self) -> frozenset[str] | None:
        """Return an HTTP function's methods in capitals, or None for all."""
        methods = self.trigger.get("methods")
        return frozenset(str(method).upper() for method in methods) if methods else None

    @property
    def auth_level(self) -> str:
        """Return an HTTP function's authorisation level in small letters."""
        return str(self.trigger.get("authLevel") or "function").lower()
