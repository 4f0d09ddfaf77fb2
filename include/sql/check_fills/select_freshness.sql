-- Compares the newest session with executions with the session of the run.
-- Grain: one row. Reads: sessions, current_deliveries. Writes: -. Binds: session_date, as_of. Money: -.
-- Rerun: reads only.
with newest as (
    select max(current_ones.session_date) as session_date
    from current_deliveries(%(as_of)s) as current_ones
    where
        current_ones.session_date <= %(session_date)s
        and current_ones.loaded_count > 0
),

lag_of as (
    select
        newest.session_date,
        (
            select count(*)
            from sessions
            where
                sessions.session_date > newest.session_date
                and sessions.session_date <= %(session_date)s
        ) as session_count
    from newest
)

select
    '' as subject,
    coalesce(lag_of.session_date::text, 'no executions') as observed,
    case
        when lag_of.session_date is null
            then 'The warehouse holds no executions up to this session. Check the source.'
        when lag_of.session_count > 0
            then
                concat(
                    'The newest executions are of session ', lag_of.session_date, ', ', lag_of.session_count,
                    ' session(s) before ', %(session_date)s::date, ': the limits rest on old data. Check the source.'
                )
    end as finding
from lag_of;
