-- Reads the current closing marks of some sessions, and every multiplier ever stated before their end.
-- Grain: one row per session and symbol. Reads: marks.
-- Binds: as_of, first_session_date, through_session_date. Money: price in currency; price and multiplier scaled by 1e8.
with latest_marks as (
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
)

select
    latest_marks.session_date,
    latest_marks.symbol,
    (latest_marks.price * 100000000)::bigint as price,
    latest_marks.currency,
    (latest_marks.multiplier * 100000000)::bigint as multiplier
from latest_marks
where
    latest_marks.session_date >= %(first_session_date)s
    or latest_marks.multiplier is not null
order by latest_marks.session_date, latest_marks.symbol;
