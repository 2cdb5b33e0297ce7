"""Records that cannot be treated: written down for an operator, never passed over."""

import hashlib

from shared.domain.case_documents import Finding
from shared.domain.errors import Conflict
from shared.domain.tasks import Task
from shared.ports.cases import Write
from shared.services.context import Context


async def quarantine(context: Context, task: Task, *, code: str, place: str) -> None:
    """Write a finding for one record, once. `place` names the record by ids, not by its content."""
    digest = hashlib.sha256(f"{task.store_id}\n{code}\n{place}".encode()).hexdigest()[:32]
    finding = Finding(
        id=f"finding-{digest}",
        request_id=task.request_id,
        store_id=task.store_id,
        code=code,
        place=place,
        found_at=context.clock.now(),
    )
    try:
        await context.cases.commit(task.request_id, [Write(document=finding, etag=None)])
    except Conflict:
        return  # found before
    await context.operators.alarm(
        "record_undecidable", request_id=task.request_id, details=code.partition(":")[0]
    )  # field names come from documents
