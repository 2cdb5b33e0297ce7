"""The pipeline gives the templates what they read, holds no secret, and looks at what it has deployed."""

import http.server
import re
import subprocess
import threading

import pytest
import yaml

from tests.infra.bicep import INFRA, ROOT, read

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
TRUSTED = {
    "actions/checkout",
    "actions/setup-python",
    "actions/setup-node",
    "azure/login",
    "Azure/functions-action",
}
READ = re.compile(r"readEnvironmentVariable\('(\w+)'(, '[^']*')?\)")
OWN = {"FIRST_DEPLOYMENT"}  # of a deployment, not of an environment


def _steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def _environment(workflow: dict) -> set[str]:
    found: set[str] = set()
    for job in workflow["jobs"].values():
        for level in (job, *job.get("steps", [])):
            found |= set(level.get("env", {}))
    return found


def _read_by_production() -> set[str]:
    return {name for name, _ in READ.findall((INFRA / "main.prod.bicepparam").read_text("utf-8"))}


@pytest.mark.parametrize("name", ["deploy", "what-if"])
def test_a_workflow_sets_all_that_the_parameters_read(name):
    """And nothing that they do not."""
    given = _environment(WORKFLOWS[name]) - OWN - {"AZURE_RESOURCE_GROUP", "TARGET", "URL"}
    assert given == _read_by_production() - OWN


def test_the_compilation_gets_all_that_has_no_default():
    """Otherwise the parameters of production would not compile."""
    text = (INFRA / "main.prod.bicepparam").read_text("utf-8")
    needed = {name for name, default in READ.findall(text) if not default}
    assert _environment(WORKFLOWS["test"]) == needed


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_no_more_than_it_needs(name):
    """A token for Azure is asked for by those jobs alone that use one; no secret is kept anywhere."""
    workflow = WORKFLOWS[name]
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    assert "secrets." not in text
    assert workflow["permissions"].get("contents") == "read"
    for job in workflow["jobs"].values():
        permissions = {**workflow["permissions"], **job.get("permissions", {})}
        uses_azure = any("azure/login" in step.get("uses", "") for step in job.get("steps", []))
        assert permissions == {"contents": "read", **({"id-token": "write"} if uses_azure else {})}
        assert "steps" not in job or "timeout-minutes" in job
    for step in _steps(workflow):
        if "uses" in step:
            action, _, version = step["uses"].partition("@")
            assert action in TRUSTED
            assert version
        # An expression in a script could be code of whoever names a branch.
        assert "github.event" not in step.get("run", "")
        assert "inputs." not in step.get("run", "")


def test_nothing_is_deployed_that_was_not_tested_and_looked_at():
    """The suite before, the smoke test after."""
    deploy = WORKFLOWS["deploy"]["jobs"]
    assert deploy["deploy"]["needs"] == "test"
    assert deploy["test"]["uses"] == "./.github/workflows/test.yml"
    steps = deploy["deploy"]["steps"]
    assert "smoke-test.sh" in steps[-1]["run"]
    assert steps[-1]["if"] == "${{ !inputs.first }}"  # which is never on for a push
    publish = next(
        step["with"] for step in steps if step.get("uses", "").startswith("Azure/functions-action")
    )
    assert publish["remote-build"] is True
    assert publish["respect-funcignore"] is True


def test_the_templates_are_compiled_and_what_if_is_asked():
    """Both need what no machine of a developer is sure to have."""
    assert any("az bicep build" in step.get("run", "") for step in _steps(WORKFLOWS["test"]))
    assert any("what-if" in step.get("run", "") for step in _steps(WORKFLOWS["what-if"]))


def test_the_deployed_package_is_pinned_whole_and_holds_no_tests():
    """What the build in Azure installs is what the suite ran with."""
    assert "-c constraints.txt" in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    ignored = set((ROOT / ".funcignore").read_text("utf-8").split())
    assert "constraints.txt" not in ignored
    assert {"tests", "devtools", "docs", "infra", ".git*", "local.settings*.json"} <= ignored


def test_the_developer_command_line_finds_the_templates_and_the_app():
    """By file name and by tag."""
    found = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    assert (INFRA / f"{found['infra']['module']}.bicepparam").exists()
    (service,) = found["services"]
    assert (
        f"'azd-service-name': '{service}'"
        in read(INFRA / "modules" / "function-app.bicep").resources["app"].text
    )
    assert "azd-env-name" in read(INFRA / "main.bicep").variables["tags"].value
    assert f'azd-service-name\\"=={chr(39)}{service}{chr(39)}' in (
        ROOT / ".github" / "workflows" / "deploy.yml"
    ).read_text("utf-8")


@pytest.fixture
def app():
    """An app that answers as a test says: path to status."""
    answers: dict[str, int] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(answers[self.path])
            self.end_headers()
            self.wfile.write(b'{"status": "any"}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield answers, f"http://127.0.0.1:{server.server_address[1]}/api"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("health", "openapi", "operations", "is_well"),
    [(200, 200, 401, True), (503, 200, 401, False), (200, 500, 401, False), (200, 200, 200, False)],
)
def test_the_smoke_test_passes_a_well_app_and_no_other(app, tmp_path, health, openapi, operations, is_well):
    """One whose operations answer without a token is not well."""
    answers, url = app
    answers.update({"/api/health": health, "/api/openapi.json": openapi, "/api/operations/cases": operations})
    script = (ROOT / ".github" / "smoke-test.sh").read_text("utf-8")
    impatient = tmp_path / "smoke-test.sh"
    impatient.write_text(script.replace("attempts=20", "attempts=1"), "utf-8")
    done = subprocess.run(  # noqa: S603  the repository's own script
        ["bash", str(impatient), url],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode == 0) is is_well, done.stdout + done.stderr
