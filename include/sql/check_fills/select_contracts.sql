-- Lists who traded some symbols in the session, who traded at all, and the multipliers that files state.
-- Grain: one row per kind, account, symbol and day: 'account' without symbol, 'traded', 'stated' without account.
-- Reads: current_fills, current_deliveries, instruments, marks. Binds: session_date, as_of, symbols (an array).
-- multiplier: scaled by 1e8. Which statement holds for a symbol Python knows (risk.core.multipliers).
with latest_instruments as (
    select distinct on (instruments.valid_from, instruments.symbol)
        instruments.valid_from,
        instruments.symbol,
        instruments.multiplier
    from risk.instruments
    where
        instruments.recorded_at <= %(as_of)s
        and instruments.valid_from <= %(session_date)s
    order by
        instruments.valid_from asc,
        instruments.symbol asc,
        instruments.instrument_id desc
),

latest_marks as (
    select distinct on (marks.session_date, marks.symbol)
        marks.session_date,
        marks.symbol,
        marks.multiplier
    from risk.marks
    where
        marks.recorded_at <= %(as_of)s
        and marks.session_date <= %(session_date)s
        and marks.symbol !~ '^[A-Z]{1,5}$'
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
)

select distinct
    'account' as kind,
    known.account_id,
    null as symbol,
    null::date as day,
    null::bigint as multiplier
from risk.current_deliveries(%(as_of)s) as known
where
    known.session_date = %(session_date)s
    and known.loaded_count > 0
union all
select distinct
    'traded' as kind,
    known.account_id,
    known.symbol,
    null::date as day,
    null::bigint as multiplier
from risk.current_fills(%(as_of)s) as known
where
    known.session_date = %(session_date)s
    and known.symbol = any(%(symbols)s::text[])
union all
select
    'stated' as kind,
    null as account_id,
    latest_instruments.symbol,
    latest_instruments.valid_from as day,
    (latest_instruments.multiplier * 100000000)::bigint as multiplier
from latest_instruments
union all
select
    'stated' as kind,
    null as account_id,
    latest_marks.symbol,
    latest_marks.session_date as day,
    (latest_marks.multiplier * 100000000)::bigint as multiplier
from latest_marks
where latest_marks.multiplier is not null
order by kind, account_id, symbol, day;
