-- Lists the deliveries that count for some account-sessions.
-- Grain: one row per delivery. Reads: current_deliveries.
-- Binds: as_of, account_ids, session_dates (arrays of equal length).
-- The sessions are stated once more: the join alone does not reach the index of the deliveries, and all are read.
select
    current_ones.delivery_id,
    current_ones.account_id
from risk.current_deliveries(%(as_of)s) as current_ones
inner join unnest(%(account_ids)s::text[], %(session_dates)s::date[]) as wanted (account_id, session_date)
    on
        current_ones.account_id = wanted.account_id
        and current_ones.session_date = wanted.session_date
where current_ones.session_date = any(%(session_dates)s::date[])
order by current_ones.delivery_id;
