-- Adds up what is booked to each account beside its trading in the session, as known at the run's cut-off.
-- Grain: one row per account of which something was ever delivered or the roster knows, by name.
-- Reads: booked_adjustments, deliveries, accounts. Writes: -. Binds: session_date, as_of. Rerun: reads only.
-- Money: US dollars, positive = credit; no part of any P&L.
select
    booked.account_id,
    sum(booked.amount_usd) as amount_usd
from risk.booked_adjustments(%(as_of)s) as booked
where
    booked.session_date = %(session_date)s
    and (
        exists (
            select
            from risk.deliveries
            where
                deliveries.account_id = booked.account_id
                and deliveries.recorded_at <= %(as_of)s
        )
        or exists (
            select
            from risk.accounts
            where
                accounts.account_id = booked.account_id
                and accounts.recorded_at <= %(as_of)s
        )
    )
group by booked.account_id
order by booked.account_id;
