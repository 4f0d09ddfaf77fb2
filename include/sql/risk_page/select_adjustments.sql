-- Lists the amounts booked to accounts outside trading in a session.
-- Grain: one row per booking, by account. Reads: booked_adjustments. Binds: session_date, as_of.
-- Money: US dollars, positive = credit; not part of P&L.
select
    booked.account_id,
    booked.category,
    booked.amount_usd,
    booked.comment
from risk.booked_adjustments(%(as_of)s) as booked
where booked.session_date = %(session_date)s
order by booked.account_id, booked.category, booked.amount_usd, booked.comment;
