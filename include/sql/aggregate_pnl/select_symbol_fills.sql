-- Reads the fills of some accounts, account by account, session by session.
-- Grain: one row per account, session and symbol. Reads: symbol_fills. Writes: -. Binds: -. Rerun: reads only.
-- Money: price in currency; quantity (buys positive), price and fees_usd (costs positive) scaled by 1e8.
-- The rows lie in this order already; Postgres sees that while sorting and does nothing.
select
    symbol_fills.account_id,
    symbol_fills.session_date,
    symbol_fills.symbol,
    symbol_fills.currency,
    symbol_fills.signed_quantities,
    symbol_fills.prices,
    symbol_fills.seconds,
    symbol_fills.fees_usd,
    symbol_fills.delivery_id,
    symbol_fills.sides
from symbol_fills
order by symbol_fills.account_id, symbol_fills.session_date, symbol_fills.symbol;
