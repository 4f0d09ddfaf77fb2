-- Reads the fills of some deliveries as whole numbers.
-- Grain: one row per fill, of a delivery before those of later ones. Reads: current_fills.
-- Binds: as_of, delivery_ids. Money: price in currency ('' = not stated); quantity (positive), price and fees_usd
-- (costs positive) scaled by 1e8. instant: microseconds since 1970. side: ASCII code of the letter.
select
    current_fills.delivery_id,
    current_fills.tie_rank,
    (date_part('epoch', current_fills.executed_at) * 1000000)::bigint as instant,
    current_fills.is_time_unknown,
    ascii(current_fills.side) as side,
    current_fills.symbol,
    coalesce(current_fills.currency, '') as currency,
    (current_fills.quantity * 100000000)::bigint as quantity,
    (current_fills.price * 100000000)::bigint as price,
    (current_fills.fees_usd * 100000000)::bigint as fees_usd
from risk.current_fills(%(as_of)s) as current_fills
where current_fills.delivery_id = any(%(delivery_ids)s::bigint[])
order by current_fills.delivery_id;
