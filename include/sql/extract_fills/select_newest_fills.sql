-- Reads the newest session of which fills are known, and how many sessions lie between it and another one.
-- Grain: one row; no session where nothing was ever delivered. Reads: deliveries, sessions. Binds: session_date.
with newest as (
    select max(deliveries.session_date) as session_date
    from risk.deliveries
    where deliveries.loaded_count > 0
)

select
    newest.session_date,
    (
        select count(*)
        from risk.sessions
        where
            sessions.session_date > least(newest.session_date, %(session_date)s::date)
            and sessions.session_date <= greatest(newest.session_date, %(session_date)s::date)
    ) as session_count
from newest;
