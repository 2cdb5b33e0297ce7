"""The figures of the alarms, measured on the real stores."""

from dataclasses import replace

import pytest

from shared import bootstrap
from shared.domain.messages import QUEUES
from shared.services.measuring import measure
from shared.settings import read
from tests.fakes.messaging import MemoryOperators

pytestmark = pytest.mark.platform


async def test_every_figure_is_measured_on_the_real_stores(running_platform, everyone):
    """Every queue and poison queue is there, and every query is answered."""
    app = bootstrap.build(read(running_platform.environment))
    operators = MemoryOperators()
    try:
        await measure(replace(app.context, operators=operators))
    finally:
        await app.close()
    queues = {labels["queue"] for name, _, labels in operators.measured if name == "queue.messages"}
    assert queues == set(QUEUES)
    values = {name: value for name, value, labels in operators.measured if not labels}
    assert values["app.healthy"] == 1
    # how many there are depends on what other tests filed
    assert values["cases.overdue"] <= values["cases.open"]
