-- Reads the fills of some deliveries as whole numbers.
-- Grain: one row per fill, of a delivery before those of later ones. Reads: current_fills. Rerun: reads only.
-- Binds: as_of, delivery_ids. Money: price in currency ('' = not stated); quantity (positive), price and fees_usd
-- (costs positive) scaled by 1e8. instant: microseconds since 1970. side: ASCII code of the letter.
select
    known.delivery_id,
    known.line_number,
    (date_part('epoch', known.executed_at) * 1000000)::bigint as instant,
    known.is_time_unknown,
    ascii(known.side) as side,
    known.symbol,
    coalesce(known.currency, '') as currency,
    (known.quantity * 100000000)::bigint as quantity,
    (known.price * 100000000)::bigint as price,
    (known.fees_usd * 100000000)::bigint as fees_usd
from risk.current_fills(%(as_of)s) as known
where known.delivery_id = any(%(delivery_ids)s::bigint[])
order by known.delivery_id;
