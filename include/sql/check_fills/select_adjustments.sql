-- Looks for adjustments of the session, or new in the run's load, whose account nobody knows.
-- Grain: one row per account. Reads: booked_adjustments, deliveries, accounts. Writes: -. Rerun: reads only.
-- Binds: session_date, as_of, load_id. Money: US dollars, positive = credit.
-- Known: something was delivered for it, or the roster names it.
select
    booked.account_id as subject,
    concat(count(*), ' adjustments') as observed,
    concat(
        count(*), ' adjustment(s) of $', round(sum(booked.amount_usd), 2), ' in all are booked to account ',
        booked.account_id, ', of which nothing was ever delivered, first in ', min(booked.file_name), ' line ',
        (array_agg(booked.line_number order by booked.file_name, booked.line_number))[1],
        '. They are in no report until it is known: check the name.'
    ) as finding
from booked_adjustments(%(as_of)s) as booked
where
    booked.session_date <= %(session_date)s
    and (booked.session_date = %(session_date)s or booked.load_id = %(load_id)s)
    and not exists (
        select
        from deliveries
        where
            deliveries.account_id = booked.account_id
            and deliveries.recorded_at <= %(as_of)s
    )
    and not exists (
        select
        from accounts
        where
            accounts.account_id = booked.account_id
            and accounts.recorded_at <= %(as_of)s
    )
group by booked.account_id
order by booked.account_id;
