-- Copies what earlier runs recommended into the schema of a replay.
-- Grain: one row per run and account. Reads: recommendations.
-- The copy of the table is made like it, see risk.core.runs: every column, in the same order.
insert into private.recommendations
select given.* -- noqa: AM04
from results.recommendations as given;
