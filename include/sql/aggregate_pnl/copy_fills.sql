-- Writes out the fills of some deliveries as whole numbers, for COPY in its binary form: every row has the same size.
-- Grain: one row per fill. Reads: corrected_fills.
-- Binds: as_of, delivery_ids, and of equal length symbols and currencies ('' = not stated): arrays, whose members are
-- written as their place in them, from 1; place_count, more than there are instruments.
-- Money: price in currency; quantity (positive), price and fees_usd (costs positive) scaled by 1e8.
-- place: of the delivery, times place_count, and of the instrument. instant: microseconds since 1970.
-- tie: the tie rank, times 256, 128 where the time of day is unknown, and the ASCII code of the side. Every column less
-- to send is a twentieth of the time.
-- Arrays, since a join with them is all the work of several processes of Postgres; tables made for the purpose are not.
-- Deliveries are grouped, so that the planner takes them for few, and hashes them instead of the fills.
with delivered as (
    select
        listed.delivery_id,
        min(listed.number) as number
    from unnest(%(delivery_ids)s::bigint[]) with ordinality as listed (delivery_id, number)
    group by listed.delivery_id
)

select
    delivered.number * %(place_count)s + named.number as place,
    (date_part('epoch', fills.executed_at) * 1000000)::bigint as instant,
    fills.tie_rank::bigint * 256 + fills.is_time_unknown::integer * 128 + ascii(fills.side) as tie,
    (fills.quantity * 100000000)::bigint as quantity,
    (fills.price * 100000000)::bigint as price,
    (fills.fees_usd * 100000000)::bigint as fees_usd
from risk.corrected_fills(%(as_of)s) as fills
inner join delivered on fills.delivery_id = delivered.delivery_id
inner join unnest(%(symbols)s::text[], %(currencies)s::text[]) with ordinality as named (symbol, currency, number)
    on
        fills.symbol = named.symbol
        and coalesce(fills.currency, '') = named.currency
-- Once more, for the index of the deliveries: few of very many are found by it.
where fills.delivery_id = any(%(delivery_ids)s::bigint[])
order by delivered.number;
