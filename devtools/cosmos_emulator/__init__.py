"""The Cosmos DB wire protocol over SQLite, for the unmodified azure-cosmos SDK to talk to.

Start it
--------
`python3 -m devtools.cosmos_emulator --port 8081 [--host 127.0.0.1] [--data FILE] [--open] [--throttle]
[--faults FILE.json] [--stop-with-parent]` prints one line, `listening on http://127.0.0.1:PORT`, when it is
ready (port 0 takes a free one) and stops on SIGTERM, SIGINT, or, with `--stop-with-parent`, when its
standard input is closed. Within a process: `async with CosmosEmulator() as emulator:` and then
`emulator.endpoint`, `emulator.faults`, `emulator.metrics`, `emulator.clock`. The account key is the one
Microsoft publishes for its own emulator (`EMULATOR_KEY`).

Modes
-----
- *strict* (default) refuses what the service refuses. Over several partitions ORDER BY, TOP, OFFSET,
  DISTINCT, aggregates and GROUP BY get 400/1004, after which the SDK asks for a query plan and finishes the
  work itself; GROUP BY and aggregates within expressions get no plan. ORDER BY needs an indexed path, and
  over two or more properties a composite index. A query without a scope is refused unless its filter fixes
  the partition key.
- `--open` answers all of these itself.
- `--throttle` answers 429/3200 once a container has spent its throughput (400 RU/s unless set) in a second.

Own paths, without a signature
------------------------------
- `GET|POST|DELETE /_emulator/faults`: fault rules, see `FaultRule`. POST takes one rule or an array of
  them.
- `GET|DELETE /_emulator/metrics`: per container the requests by operation, replies by status, request
  units.
- `GET|POST /_emulator/clock`: `{"advance_seconds": n}`, `{"now": n, "frozen": true}`, `{"reset": true}`. It
  moves TTL, `_ts` and GetCurrentDateTime; signatures are checked against real time.

Supported
---------
Account, databases, containers (default TTL, unique keys, hierarchical keys, indexing policy, computed
properties), offers, one partition key range, items (create, read, replace, upsert, patch with condition,
delete), ETag conditions, atomic batches, delete by partition key, read_items, queries with continuation,
change feed (latest versions; all versions and deletes where the container has a change feed policy), TTL,
session tokens, addressing by resource id, request units, limits of item, batch, id and key sizes.

Queries: SELECT (VALUE, DISTINCT, TOP, projections), FROM with JOIN .. IN and sub-queries, WHERE, GROUP BY
with COUNT, COUNTIF, SUM, AVG, MIN, MAX, ARRAY_AGG, ORDER BY, OFFSET LIMIT, parameters, every operator, IN,
BETWEEN, LIKE, EXISTS, ARRAY, and the string, type, array, mathematical and date functions in
`sql/functions`.

Refused with 400 and a reason
-----------------------------
Stored procedures, triggers, user defined functions, users, permissions, resource tokens, Entra tokens
(401), batches that are not atomic, spatial, vector and full-text search, ORDER BY RANK, HAVING, ORDER BY
together with GROUP BY, aggregates or DISTINCT in a sub-query over the whole container, unknown functions,
unknown `x-ms-` headers.

Known differences from the service
----------------------------------
- One partition range: no splits, no parallel feeds, no merging of partial results from several ranges. The
  20 GB and 10,000 RU/s limits of a logical partition are not enforced.
- Request units follow a model that hits published points; they are no promise of the service. Batches, TTL
  and background deletion cost nothing extra, and delete by partition key works at once instead of in the
  background.
- A page holds at most 1,000 items when the client names no size, 4 MB, and 5 s of work. How far a page
  reads ahead, and so whether the last page is empty, may differ. The limit on the size of continuation
  tokens is ignored; tokens are small unless sort values are long.
- Unsorted rows come in the order of their creation; rows of DISTINCT and GROUP BY in an arbitrary, stable
  order.
- Whole numbers up to 64 bits are kept exactly; the service keeps doubles. Case folding follows Python.
- Regular expressions are Python's. An aggregate over nothing (MAX, AVG) gives no row within one partition.
- Writes are visible at once to everyone: consistency levels are accepted and make no difference.
- Data files outlive the process, not a power failure.
- The keys of a change feed over all versions are kept for ever; deletes by TTL are not in it.
- Arrays and objects are equal to each other in ORDER BY. What a 404 or 412 looks like in detail (messages)
  is ours.

How it stays fast
-----------------
A query takes the AND-ed terms of its filter that are equality, IN, range, STARTSWITH, STRINGEQUALS,
IS_DEFINED, ARRAY_CONTAINS or EXISTS over array elements on indexed paths, and finds a superset of its rows
through an index in SQLite that is made on first use (scopes of more than 500 items) and kept up to date by
the write that changes it. The whole filter then decides. `python3 -m devtools.cosmos_emulator.measure`
prints raw reads and upserts a second.
"""

from .auth import EMULATOR_KEY
from .clock import Clock
from .emulator import CosmosEmulator
from .faults import FaultRule

__all__ = ["EMULATOR_KEY", "Clock", "CosmosEmulator", "FaultRule"]
