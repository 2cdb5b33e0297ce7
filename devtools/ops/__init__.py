"""Work on cases through the operations API, as a member of staff.

Sign in first: `sign-in --as operator` in a local run, `sign-in --url … --tenant … --client …` elsewhere. What
is printed may be personal data; nothing of it is kept. Exit codes: 0 done, 1 the API refused, 2 wrong use or
nothing there, 3 sign in first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.failures import CannotStartError
from devtools.ops.api import RefusedError, call
from devtools.ops.connection import Connection, NotSignedInError, local_connection
from devtools.ops.operations import OPERATIONS, Argument, Operation
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
    options = _parser().parse_args(arguments)
    try:
        if options.command == "sign-in":
            return _sign_in(options)
        if options.command == "sign-out":
            sign_out(STORE)
            return 0
        return _operate(OPERATIONS[options.command], options)
    except NotSignedInError as error:
        print(error, file=sys.stderr)
        return SIGN_IN_EXIT_CODE
    except RefusedError as error:
        print_refusal(error, as_json=options.json)
        return SIGN_IN_EXIT_CODE if error.asks_for_sign_in else REFUSED_EXIT_CODE


def _operate(operation: Operation, options: argparse.Namespace) -> int:
    connection = Connection.read(STORE)
    given = {one.name: getattr(options, one.name) for one in operation.arguments}
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


def _parser() -> argparse.ArgumentParser:
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
    for name, operation in OPERATIONS.items():
        one = commands.add_parser(name, parents=[common], help=operation.summary)
        for argument in operation.arguments:
            _add(one, argument)
    return parser


def _add(parser: argparse.ArgumentParser, argument: Argument) -> None:
    if argument.in_path:
        parser.add_argument(argument.name, metavar=argument.name.upper(), help=argument.help)
        return
    flag = "--" + argument.name.replace("_", "-")
    required = argument.is_required
    if argument.kind == "yes":
        parser.add_argument(flag, dest=argument.name, action="store_true", default=None, help=argument.help)
    elif argument.kind == "list":
        parser.add_argument(
            flag, dest=argument.name, action="append", required=required, help=f"{argument.help} (repeatable)"
        )
    else:
        kind = int if argument.kind == "number" else str
        parser.add_argument(flag, dest=argument.name, type=kind, required=required, help=argument.help)
