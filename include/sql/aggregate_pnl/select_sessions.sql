-- Lists the sessions to compute and the five before the first, in which a stale mark may be.
-- Grain: one row per session. Reads: sessions.
-- Binds: first_session_date, through_session_date, stale_session_count.
select sessions.session_date
from risk.sessions
where
    sessions.session_number >= (
        select computed.session_number - %(stale_session_count)s
        from risk.sessions as computed
        where computed.session_date = %(first_session_date)s
    )
    and sessions.session_date <= %(through_session_date)s
order by sessions.session_date;
