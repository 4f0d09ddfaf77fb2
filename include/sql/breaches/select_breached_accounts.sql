-- Counts the accounts that broke a limit in a session, as the newest run that recorded it says.
-- Grain: one row. Reads: limit_breaches. Binds: session_date.
with newest as (
    select distinct on (limit_breaches.account_id) limit_breaches.is_breach
    from risk.limit_breaches
    where limit_breaches.session_date = %(session_date)s
    order by
        limit_breaches.account_id asc,
        limit_breaches.breach_id desc
)

select count(*) as account_count
from newest
where newest.is_breach;
