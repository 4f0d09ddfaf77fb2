-- Reads how many shares the market traded, as known at an instant: what was recorded last counts.
-- Grain: one row per session and symbol with a known volume. Reads: marks.
-- Binds: as_of, first_session, last_session.
with latest as (
    select distinct on (marks.session_date, marks.symbol)
        marks.session_date,
        marks.symbol,
        marks.volume
    from risk.marks
    where
        marks.session_date between %(first_session)s and %(last_session)s
        and marks.recorded_at <= %(as_of)s
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
)

select
    latest.session_date,
    latest.symbol,
    latest.volume
from latest
where latest.volume is not null
order by
    latest.session_date asc,
    latest.symbol asc;
