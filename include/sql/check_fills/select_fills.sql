-- The executions of one session as known at an instant: what the row-by-row expectations look at.
-- Grain: one row per execution. Reads: current_deliveries, fills. Writes: -. Binds: session_date, as_of. Rerun: reads only.
-- Money: price in currency, fees_usd positive = cost.
select
    fills.account_id,
    fills.executed_at,
    fills.side,
    fills.quantity,
    fills.symbol,
    fills.price,
    fills.fees_usd
from current_deliveries(%(as_of)s) as current_ones
inner join fills on current_ones.delivery_id = fills.delivery_id
where
    current_ones.session_date = %(session_date)s
    and fills.session_date = %(session_date)s;
