-- Writes out the fills of some deliveries as whole numbers, for COPY in its binary form: every row has the same size.
-- Grain: one row per fill. Reads: current_fills.
-- Binds: as_of, delivery_ids, and of equal length symbols and currencies ('' = not stated): arrays, whose members are
-- written as their place in them, from 1; place_count, more than there are instruments.
-- Money: price in currency; quantity (positive), price and fees_usd (costs positive) scaled by 1e8.
-- place: of the delivery, times place_count, and of the instrument. instant: microseconds since 1970.
-- tie: the tie rank, times 256, 128 where the time of day is unknown, and the ASCII code of the side. Every column less
-- to send is a twentieth of the time.
-- Arrays, since a join with them is all the work of several processes of Postgres; tables made for the purpose are not.
select
    delivered.number * %(place_count)s + named.number as place,
    (date_part('epoch', current_fills.executed_at) * 1000000)::bigint as instant,
    current_fills.tie_rank::bigint * 256 + current_fills.is_time_unknown::integer * 128 + ascii(current_fills.side)
        as tie,
    (current_fills.quantity * 100000000)::bigint as quantity,
    (current_fills.price * 100000000)::bigint as price,
    (current_fills.fees_usd * 100000000)::bigint as fees_usd
from risk.current_fills(%(as_of)s) as current_fills
inner join unnest(%(delivery_ids)s::bigint[]) with ordinality as delivered (delivery_id, number)
    on current_fills.delivery_id = delivered.delivery_id
inner join unnest(%(symbols)s::text[], %(currencies)s::text[]) with ordinality as named (symbol, currency, number)
    on
        current_fills.symbol = named.symbol
        and coalesce(current_fills.currency, '') = named.currency
order by delivered.number;
