-- Lists the exchange's sessions from the first result we have to the asked one.
-- Grain: one row per session, ascending. Reads: sessions, daily_pnl. Writes: -. Binds: through_session_date. Money: -.
-- Rerun: reads only.
with range_of_results as (
    select
        min(daily_pnl.session_date) as first_session_date,
        %(through_session_date)s as last_session_date
    from derived.daily_pnl
    where daily_pnl.session_date <= %(through_session_date)s
)

select sessions.session_date
from risk.sessions
inner join range_of_results
    on
        sessions.session_date >= range_of_results.first_session_date
        and sessions.session_date <= range_of_results.last_session_date
order by sessions.session_date asc;
