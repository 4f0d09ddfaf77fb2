-- Lists the account-sessions with executions in the books, so that an answer that no longer has them replaces them.
-- Grain: one row per account and session. Reads: current_deliveries. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_dates (array). All that is recorded counts: this is not about a run.
select
    current_ones.account_id,
    current_ones.session_date
from risk.current_deliveries('infinity') as current_ones
where
    current_ones.session_date = any(%(session_dates)s::date[])
    and current_ones.row_count > 0
order by
    current_ones.account_id,
    current_ones.session_date;
