-- Sums the adjustments booked to each account in the session, as of the run's cut-off.
-- Grain: one row per account with a delivery or in the roster, by name.
-- Reads: booked_adjustments, deliveries, accounts. Money: US dollars, positive = credit; not part of any P&L.
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
