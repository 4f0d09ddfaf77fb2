-- Reads the fills of some deliveries as whole numbers.
-- Grain: one row per fill, of a delivery before those of later ones. Reads: corrected_fills.
-- Binds: as_of, delivery_ids. Money: price in currency ('' = not stated); quantity (positive), price and fees_usd
-- (costs positive) scaled by 1e8. instant: microseconds since 1970. side: ASCII code of the letter.
select
    fills.delivery_id,
    fills.tie_rank,
    (date_part('epoch', fills.executed_at) * 1000000)::bigint as instant,
    fills.is_time_unknown,
    ascii(fills.side) as side,
    fills.symbol,
    coalesce(fills.currency, '') as currency,
    (fills.quantity * 100000000)::bigint as quantity,
    (fills.price * 100000000)::bigint as price,
    (fills.fees_usd * 100000000)::bigint as fees_usd
from risk.corrected_fills(%(as_of)s) as fills
where fills.delivery_id = any(%(delivery_ids)s::bigint[])
order by fills.delivery_id;
