-- Lists the sessions a look asks the vendor for.
-- Grain: one row per session. Reads: sessions, vendor_answers. Writes: -. Money: -. Rerun: reads only.
-- Binds: through_session_date, since (date, or null for the first look's history_sessions), history_sessions,
-- reread_sessions, asked_before.
-- Due: the run's own session, always; one that was never answered whole; one of the last few, to catch restated fees
-- and late posting, unless it was answered a short while ago.
with asked_for as (
    select sessions.session_number
    from risk.sessions
    where sessions.session_date = %(through_session_date)s
),

answered as (
    select
        vendor_answers.session_date,
        max(vendor_answers.asked_at) filter (where vendor_answers.finding is null) as asked_at
    from risk.vendor_answers
    group by vendor_answers.session_date
),

beginning as (
    select
        coalesce(
            %(since)s::date,
            (select min(answered.session_date) from answered),
            (
                select min(sessions.session_date)
                from risk.sessions
                where sessions.session_number > asked_for.session_number - %(history_sessions)s
            )
        ) as session_date
    from asked_for
)

select sessions.session_date
from risk.sessions
cross join asked_for
cross join beginning
left join answered on sessions.session_date = answered.session_date
where
    sessions.session_date <= %(through_session_date)s
    and (
        sessions.session_date = %(through_session_date)s
        or (sessions.session_date >= beginning.session_date and answered.asked_at is null)
        or (
            sessions.session_number > asked_for.session_number - %(reread_sessions)s
            and answered.asked_at < %(asked_before)s
        )
    )
order by sessions.session_date;
