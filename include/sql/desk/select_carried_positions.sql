-- Reads the positions that an account carried over a session's close, and at which prices the books value them.
-- Grain: one row per symbol, by name. Reads: positions. Binds: account_id, session_date.
-- Money: mark_price in the currency, rate in US dollars for one unit of it, unrealized_pnl_usd in US dollars; null =
-- unknown, the books are incomplete.
select
    positions.symbol,
    positions.currency,
    positions.quantity,
    positions.average_open_price,
    positions.multiplier,
    positions.mark_price,
    positions.mark_source,
    positions.rate,
    positions.unrealized_pnl_usd
from derived.positions
where
    positions.account_id = %(account_id)s
    and positions.session_date = %(session_date)s
    and positions.quantity <> 0
order by positions.symbol asc;
