"""Import an app's `function_app.py` and take its functions from it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import azure.functions as func

from devtools.functions_host.errors import Fault, HostRefusedError
from devtools.functions_host.functions import LoadedFunction
from devtools.functions_host.settings import HostSettings
from devtools.functions_host.signatures import read_signature
from devtools.functions_host.validation import app_faults

DEFAULT_SCRIPT = "function_app.py"


def load_functions(
    root: Path, settings: HostSettings, *, only: Iterable[str] | None = None
) -> list[LoadedFunction]:
    """Return the app's functions by name, which is the order in which their routes are tried.

    Args:
        root: The app's directory; it becomes the first place modules are imported from.
        settings: The app's settings.
        only: Names of the functions wanted; None is all. The rest is checked all the same.

    Raises:
        HostRefusedError: The real host would refuse the app, or a function uses what this host lacks. All
            functions at fault are listed.
    """
    module = _import_app(root, settings.environment)
    functions, faults = _read_functions(_find_register(module))
    faults += app_faults(functions, settings)
    wanted = None if only is None else {name.lower() for name in only}
    known = {function.name.lower() for function in functions} | {fault.subject.lower() for fault in faults}
    for name in sorted((wanted or set()) - known):
        faults.append(Fault(subject=name, reason="the app has no function of this name"))
    if faults:
        raise HostRefusedError(faults)
    functions.sort(key=lambda function: function.name.lower())
    return [
        replace(function, is_disabled=settings.is_disabled(function.name))
        for function in functions
        if wanted is None or function.name.lower() in wanted
    ]


def _import_app(root: Path, environment: Mapping[str, str]) -> ModuleType:
    script = environment.get("PYTHON_SCRIPT_FILE_NAME") or DEFAULT_SCRIPT
    path = root / script
    if not path.exists():
        raise HostRefusedError([Fault(subject=script, reason="the file is missing from the app's root")])
    if sys.path[0] != str(root):
        sys.path.insert(0, str(root))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise HostRefusedError([Fault(subject=script, reason="the file is not a Python module")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        reason = f"importing it raised {type(error).__name__}: {error}"
        raise HostRefusedError([Fault(subject=script, reason=reason)]) from error
    return module


def _find_register(module: ModuleType) -> func.FunctionRegister:
    found = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if len(found) != 1:
        count = "no FunctionApp" if not found else f"{len(found)} FunctionApp objects"
        reason = f"it has {count} at its top level; exactly one is needed"
        raise HostRefusedError([Fault(subject=str(module.__name__) + ".py", reason=reason)])
    return next(iter(found.values()))


def _read_functions(register: func.FunctionRegister) -> tuple[list[LoadedFunction], list[Fault]]:
    try:
        # Once only: the library refuses a second call on the same app.
        built = register.get_functions()
    except ValueError as error:
        raise HostRefusedError([Fault(subject="function_app.py", reason=str(error))]) from error
    functions: list[LoadedFunction] = []
    faults: list[Fault] = []
    for item in built:
        name = item.get_function_name() or ""
        bindings = tuple(json.loads(raw) for raw in item.get_raw_bindings())
        trigger = item.get_trigger()
        trigger_name = trigger.name if trigger is not None else ""
        read = read_signature(name, item.get_user_function(), bindings, trigger_name=trigger_name)
        faults += [Fault(subject=name, reason=reason) for reason in read.problems]
        if read.function is not None:
            retry = item.get_settings_dict("retry_policy")
            functions.append(read.with_retry(retry))
    return functions, faults
