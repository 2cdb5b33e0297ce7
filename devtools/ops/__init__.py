"""Work on cases through the operations API, as a member of staff.

Sign in first: `sign-in --as operator` in a local run, `sign-in --url … --tenant … --client …` elsewhere. What
is printed may be personal data; nothing of it is kept. Exit codes: 0 done, 1 the API refused, 2 wrong use or
nothing there, 3 sign in first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devtools.failures import CannotStartError
from devtools.ops.api import RefusedError, call
from devtools.ops.connection import Connection, NotSignedInError, local_connection
from devtools.ops.operations import Argument, Operation, operations
from devtools.ops.printing import print_answer, print_refusal
from devtools.ops.signing_in import access_token, sign_in, sign_out

STORE = Path(__file__).resolve().parents[2] / ".local" / "ops"
REFUSED_EXIT_CODE = 1
SIGN_IN_EXIT_CODE = 3


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises:
        CannotStartError: The API or the issuer does not answer.
    """
    known = operations()
    options = _parser(known).parse_args(arguments)
    try:
        if options.command == "sign-in":
            return _sign_in(options)
        if options.command == "sign-out":
            sign_out(STORE)
            return 0
        return _operate(known[options.command], options)
    except NotSignedInError as error:
        print(error, file=sys.stderr)
        return SIGN_IN_EXIT_CODE
    except RefusedError as error:
        print_refusal(error, as_json=options.json)
        return SIGN_IN_EXIT_CODE if error.asks_for_sign_in else REFUSED_EXIT_CODE


def _operate(operation: Operation, options: argparse.Namespace) -> int:
    connection = Connection.read(STORE)
    given = {one.name: getattr(options, one.name) for one in operation.arguments}
    pairs = {one.name for one in operation.arguments if one.kind == "pairs"}
    given |= {name: dict(given[name]) for name in pairs if given[name]}
    answer = call(operation, given, url=connection.url, token=access_token(connection, STORE))
    print_answer(answer, as_json=options.json)
    return 0


def _sign_in(options: argparse.Namespace) -> int:
    remote = (options.url, options.tenant, options.client)
    if any(remote) and not all(remote):
        raise CannotStartError("Give --url, --tenant and --client together, or none of them for a local run.")
    if options.url and options.as_staff:
        raise CannotStartError("--as is for the made-up staff of a local run.")
    if options.url and not options.url.startswith("https://"):
        raise CannotStartError("Staff tokens are sent over https only.")
    connection = (
        Connection.to_tenant(url=options.url, tenant_id=options.tenant, client_id=options.client)
        if options.url
        else local_connection()
    )
    sign_in(connection, STORE, staff=options.as_staff)
    print("Signed in.", file=sys.stderr)
    return 0


def _parser(known: Mapping[str, Operation]) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser = argparse.ArgumentParser(
        prog="python3 -m devtools ops",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    entering = commands.add_parser("sign-in", parents=[common], help="sign in with a code in the browser")
    entering.add_argument("--as", dest="as_staff", metavar="STAFF", help="take this made-up member of staff")
    entering.add_argument("--url", default="", help="base of the API, such as https://privacy.example/api")
    entering.add_argument("--tenant", default="", help="id of the tenant")
    entering.add_argument("--client", default="", help="id of the app registration of the API")
    commands.add_parser("sign-out", parents=[common], help="forget the sign-in on this machine")
    for name, operation in known.items():
        one = commands.add_parser(
            name, parents=[common], help=_plain(operation.summary), description=_plain(operation.summary)
        )
        for argument in operation.arguments:
            _add(one, argument)
    return parser


def _add(parser: argparse.ArgumentParser, argument: Argument) -> None:
    if argument.in_path:
        parser.add_argument(argument.name, metavar=argument.name.upper())
        return
    options: dict[str, Any] = {"dest": argument.name, "required": argument.is_required}
    if argument.choices:
        options["choices"] = argument.choices
    match argument.kind:
        case "number":
            options["type"] = int
        case "yes_or_no":
            options |= {"type": _yes_or_no, "metavar": "yes|no"}
        case "list":
            options["action"] = "append"
        case "pairs":
            options |= {"action": "append", "type": _pair, "metavar": "NAME=VALUE"}
    several = "may be given several times" if argument.kind in ("list", "pairs") else ""
    options["help"] = _plain("; ".join(filter(None, (argument.hint, several))))
    parser.add_argument("--" + argument.name.replace("_", "-"), **options)


def _plain(text: str) -> str:
    return text.replace("%", "%%")  # argparse would take it for a format


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise argparse.ArgumentTypeError("say yes or no")
    return text == "yes"


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("write NAME=VALUE")
    return name, value
