"""The policy's doors on the running stack, with the real map, of which nobody has entered a text yet."""

import pytest

pytestmark = pytest.mark.platform
LOCAL_KEY = {"x-system-key": "local-development-only-system-key"}  # published; opens local runs only
ASKED = {"identifier": {"kind": "user_id", "value": "somebody"}, "channel": "application"}


async def test_versions_are_read_by_everybody(http, api):
    """With the days the map knows, and no text that was never given."""
    listed = (await http.get(f"{api}/policy/versions")).json()["versions"]
    assert [(one["number"], one["valid_from"], one["sha256"]) for one in listed] == [
        ("1", "2018-05-28", None)
    ]
    one = await http.get(f"{api}/policy/versions/1")
    assert (one.status_code, one.json()["text"]) == (200, None)
    assert (await http.get(f"{api}/policy/versions/99")).status_code == 404


async def test_showings_need_the_key_of_a_system(http, api):
    """With it, what nobody entered is said to be missing, and never taken for shown."""
    stranger = await http.post(f"{api}/policy/displays", json=ASKED)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "system_key_wrong")
    system = await http.post(f"{api}/policy/displays", json=ASKED, headers=LOCAL_KEY)
    assert (system.status_code, system.json()["code"]) == (404, "policy_text_missing")
