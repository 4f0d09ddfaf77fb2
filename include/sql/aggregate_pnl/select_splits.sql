-- Reads the splits of some sessions.
-- Grain: one row per session and symbol. Reads: splits.
-- Binds: as_of, first_session_date, through_session_date. Shares scaled by 1e8.
with latest_splits as (
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
    latest_splits.session_date,
    latest_splits.symbol,
    (latest_splits.new_shares * 100000000)::bigint as new_shares,
    (latest_splits.old_shares * 100000000)::bigint as old_shares
from latest_splits
order by latest_splits.session_date, latest_splits.symbol;
