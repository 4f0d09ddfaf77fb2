-- Reads what values positions in some sessions: those and the five before the first, in which a stale mark may be, and
-- their last fills, marks, instruments and splits.
-- Grain: one row per kind, day and symbol (null for a session); of fills also per currency as stated (null = not
-- stated). Reads: sessions, last_fills, marks, instruments, splits.
-- Binds: as_of, first_session_date, through_session_date, stale_session_count.
-- Of what files say the last word known at as_of counts. Multipliers hold on: marks of earlier sessions with one, and
-- all instruments up to the last session, are read, too.
-- price: in currency. price, multiplier and shares scaled by 1e8.
with reach as (
    select sessions.session_date
    from risk.sessions
    where
        sessions.session_number >= (
            select computed.session_number - %(stale_session_count)s
            from risk.sessions as computed
            where computed.session_date = %(first_session_date)s
        )
        and sessions.session_date <= %(through_session_date)s
),

latest_marks as (
    select distinct on (marks.session_date, marks.symbol)
        marks.session_date,
        marks.symbol,
        marks.price,
        marks.currency,
        marks.multiplier
    from risk.marks
    where
        marks.recorded_at <= %(as_of)s
        and marks.session_date <= %(through_session_date)s
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
),

latest_instruments as (
    select distinct on (instruments.valid_from, instruments.symbol)
        instruments.valid_from,
        instruments.symbol,
        instruments.multiplier,
        instruments.currency
    from risk.instruments
    where
        instruments.recorded_at <= %(as_of)s
        and instruments.valid_from <= %(through_session_date)s
    order by
        instruments.valid_from asc,
        instruments.symbol asc,
        instruments.instrument_id desc
),

latest_splits as (
    select distinct on (splits.session_date, splits.symbol)
        splits.session_date,
        splits.symbol,
        splits.new_shares,
        splits.old_shares,
        splits.new_symbol
    from risk.splits
    where
        splits.recorded_at <= %(as_of)s
        and splits.session_date between (select min(reach.session_date) from reach) and %(through_session_date)s
    order by
        splits.session_date asc,
        splits.symbol asc,
        splits.split_id desc
)

select
    'fill' as kind,
    last_fills.session_date as day,
    last_fills.symbol,
    last_fills.currency,
    (last_fills.price * 100000000)::bigint as price,
    null::bigint as multiplier,
    last_fills.instant,
    last_fills.tie_rank,
    null::bigint as new_shares,
    null::bigint as old_shares,
    null as new_symbol
from derived.last_fills
where last_fills.session_date between (select min(reach.session_date) from reach) and %(through_session_date)s
union all
select
    'mark' as kind,
    latest_marks.session_date as day,
    latest_marks.symbol,
    latest_marks.currency,
    (latest_marks.price * 100000000)::bigint as price,
    (latest_marks.multiplier * 100000000)::bigint as multiplier,
    null as instant,
    null as tie_rank,
    null as new_shares,
    null as old_shares,
    null as new_symbol
from latest_marks
where
    latest_marks.session_date >= (select min(reach.session_date) from reach)
    or latest_marks.multiplier is not null
union all
select
    'instrument' as kind,
    latest_instruments.valid_from as day,
    latest_instruments.symbol,
    latest_instruments.currency,
    null as price,
    (latest_instruments.multiplier * 100000000)::bigint as multiplier,
    null as instant,
    null as tie_rank,
    null as new_shares,
    null as old_shares,
    null as new_symbol
from latest_instruments
union all
select
    'split' as kind,
    latest_splits.session_date as day,
    latest_splits.symbol,
    null as currency,
    null as price,
    null as multiplier,
    null as instant,
    null as tie_rank,
    (latest_splits.new_shares * 100000000)::bigint as new_shares,
    (latest_splits.old_shares * 100000000)::bigint as old_shares,
    latest_splits.new_symbol
from latest_splits
union all
select
    'session' as kind,
    reach.session_date as day,
    null as symbol,
    null as currency,
    null as price,
    null as multiplier,
    null as instant,
    null as tie_rank,
    null as new_shares,
    null as old_shares,
    null as new_symbol
from reach
order by kind, day, symbol, currency;
