"""Door for staff: after a restore, whoever was erased since is erased again."""

import azure.functions as func

from functions._bodies import read
from functions._door import Given, door
from functions._http import shown
from functions._operations_bodies import ReplayAnswer, ReplayBody
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission
from shared.services.replaying import replay

operations_restores = func.Blueprint()


@door(
    operations_restores,
    "operations_replay",
    "POST",
    "operations/restores",
    Given(body=ReplayBody, answers={200: ReplayAnswer}, problems=(400, 401, 403, 413, 415), guard="staff"),
)
async def replay_erasures(req: func.HttpRequest) -> func.HttpResponse:
    """Go on with the replay for a restored copy; call it until it is done, before the stores are opened."""
    await staff(req, Permission.REPLAY)
    walk = await replay(bootstrap.app().context, restored_from=read(req, ReplayBody).restored_from)
    return shown(ReplayAnswer(done=walk.is_done, seen=walk.seen, filed=walk.filed, unclear=walk.unclear))
