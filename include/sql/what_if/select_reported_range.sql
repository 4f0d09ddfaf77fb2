-- Finds the first and the last session that limits were reported for.
-- Grain: one row. Reads: scored_runs. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    min(scored.effective_session) as first_session,
    max(scored.effective_session) as last_session,
    count(*) as session_count
from risk.scored_runs('infinity') as scored;
