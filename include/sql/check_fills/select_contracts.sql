-- Lists what was traded in the session that is no plain equity, who traded, and the multipliers that files state.
-- Grain: one row per kind, account, symbol and day: 'account' without symbol, 'traded', 'stated' without account.
-- Reads: current_fills, instruments, marks. Binds: session_date, as_of. multiplier: scaled by 1e8.
-- What symbols are by their form, and which statement holds, Python knows (risk.core.multipliers).
with traded as (
    select
        known.account_id,
        known.symbol
    from risk.current_fills(%(as_of)s) as known
    where known.session_date = %(session_date)s
    group by
        known.account_id,
        known.symbol
),

latest_instruments as (
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
        and exists (select from traded where traded.symbol !~ '^[A-Z]{1,5}$')
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
)

select distinct
    'account' as kind,
    traded.account_id,
    null as symbol,
    null::date as day,
    null::bigint as multiplier
from traded
union all
select
    'traded' as kind,
    traded.account_id,
    traded.symbol,
    null as day,
    null as multiplier
from traded
where traded.symbol !~ '^[A-Z]{1,5}$'
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
