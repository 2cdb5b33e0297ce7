"""host.json, local.settings.json and the environment."""

import json

import pytest

from devtools.functions_host.errors import HostRefusedError
from devtools.functions_host.settings import load_settings, parse_time_span, read_local_settings


def host_json(root, **document) -> None:
    (root / "host.json").write_text(json.dumps({"version": "2.0", **document}))


def test_defaults_are_those_of_the_real_host(tmp_path):
    host_json(tmp_path)
    settings = load_settings(tmp_path, {}, processors=2)
    assert settings.route_prefix == "api"
    assert vars(settings.queues) == {
        "batch_size": 16,
        "new_batch_threshold": 16,
        "max_dequeue_count": 5,
        "retry_delay_seconds": 0.0,
        "longest_poll_seconds": 2.0,
        "base64": True,
    }


def test_environment_overrides_host_json_by_path(tmp_path):
    host_json(tmp_path, extensions={"queues": {"batchSize": 3, "visibilityTimeout": "00:00:30"}})
    environment = {
        "AzureFunctionsJobHost__extensions__queues__batchSize": "7",
        "azurefunctionsjobhost__Extensions__Queues__MaxDequeueCount": "2",
        "AzureFunctionsJobHost__functionTimeout": "-1",
    }
    settings = load_settings(tmp_path, environment)
    assert (settings.queues.batch_size, settings.queues.max_dequeue_count) == (7, 2)
    assert settings.queues.retry_delay_seconds == 30
    assert settings.function_timeout_seconds is None


def test_every_wrong_value_is_named(tmp_path):
    host_json(
        tmp_path,
        functionTimeout="soon",
        extensions={
            "queues": {
                "batchSize": 33,
                "newBatchThreshold": -1,
                "maxDequeueCount": "many",
                "visibilityTimeout": "x",
                "messageEncoding": "hex",
            }
        },
    )
    with pytest.raises(HostRefusedError) as caught:
        load_settings(tmp_path, {})
    text = str(caught.value)
    for name in (
        "functionTimeout",
        "batchSize",
        "newBatchThreshold",
        "maxDequeueCount",
        "visibilityTimeout",
        "messageEncoding",
    ):
        assert name in text


@pytest.mark.parametrize("content", ["{", "[]", '{"version": "1.0"}', "{}"])
def test_unusable_host_json_is_refused(tmp_path, content):
    (tmp_path / "host.json").write_text(content)
    with pytest.raises(HostRefusedError, match=r"host\.json"):
        load_settings(tmp_path, {})


def test_local_settings_are_read_and_the_environment_wins(tmp_path):
    host_json(tmp_path)
    path = tmp_path / "local.settings.json"
    path.write_text(
        json.dumps(
            {
                "Values": {"A": "file", "B": "file", "NUMBER": 5},
                "ConnectionStrings": {"db": "x"},
                "Host": {"CORS": "http://a, http://b", "CORSCredentials": True},
            }
        )
    )
    settings = load_settings(tmp_path, {"A": "environment"}, local=read_local_settings(path))
    assert settings.environment["A"] == "environment"
    assert settings.environment["B"] == "file"
    assert settings.environment["NUMBER"] == "5"
    assert settings.environment["ConnectionStrings:db"] == "x"
    assert settings.cors_origins == ("http://a", "http://b")
    assert settings.cors_credentials is True


def test_connection_is_looked_for_with_and_without_the_prefix(tmp_path):
    host_json(tmp_path)
    settings = load_settings(tmp_path, {"AzureWebJobsX": "1", "X": "2", "Y": "3", "AzureWebJobsStorage": "4"})
    assert [settings.connection_string(name) for name in ("X", "Y", "")] == ["1", "3", "4"]
    with pytest.raises(KeyError, match="Z"):
        settings.connection_string("Z")


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:00.5", 0.5), ("01:02:03", 3723), ("1.00:00:00", 86400)]
)
def test_time_span_is_read(text, seconds):
    assert parse_time_span(text) == seconds
