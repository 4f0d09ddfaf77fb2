-- Reads the splits of some sessions.
-- Grain: one row per session and symbol. Reads: splits. Writes: -. Money: -. Rerun: reads only.
-- Binds: as_of, first_session_date, through_session_date. Shares scaled by 1e8.
with known as (
    select distinct on (splits.session_date, splits.symbol)
        splits.session_date,
        splits.symbol,
        splits.new_shares,
        splits.old_shares
    from risk.splits
    where
        splits.recorded_at <= %(as_of)s
        and splits.session_date between %(first_session_date)s and %(through_session_date)s
    order by
        splits.session_date asc,
        splits.symbol asc,
        splits.split_id desc
)

select
    known.session_date,
    known.symbol,
    (known.new_shares * 100000000)::bigint as new_shares,
    (known.old_shares * 100000000)::bigint as old_shares
from known
order by known.session_date, known.symbol;
