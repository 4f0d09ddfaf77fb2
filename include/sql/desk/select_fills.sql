-- Reads the fills of some sessions as whole numbers, corrections applied.
-- Grain: one row per fill. Reads: current_deliveries, fills, collected_corrections.
-- Binds: as_of, first_session, last_session. Money: quantity and price scaled by 1e8; price in the fill's currency.
-- second: seconds since 1970. sign: 1 = bought, -1 = sold. The deliveries are found first: the sessions then reach the
-- index of the fills.
with delivered as materialized (
    select
        current_ones.delivery_id,
        current_ones.account_id
    from risk.current_deliveries(%(as_of)s) as current_ones
    where current_ones.session_date between %(first_session)s and %(last_session)s
)

select
    delivered.account_id,
    fills.session_date,
    fills.route,
    fills.is_time_unknown,
    coalesce(applied.symbol, fills.symbol) as symbol,
    floor(date_part('epoch', fills.executed_at))::bigint as second,
    case when coalesce(applied.side, fills.side) in ('B', 'C') then 1 else -1 end as sign,
    (coalesce(applied.quantity, fills.quantity) * 100000000)::bigint as quantity,
    (coalesce(applied.price, fills.price) * 100000000)::bigint as price
from risk.fills
inner join delivered on fills.delivery_id = delivered.delivery_id
left join risk.collected_corrections(%(as_of)s) as applied
    on
        fills.delivery_id = applied.delivery_id
        and fills.line_number = applied.line_number
where
    fills.session_date between %(first_session)s and %(last_session)s
    and not coalesce(applied.kind = 'canceled', false)
order by
    fills.session_date asc,
    delivered.account_id asc,
    fills.executed_at asc,
    fills.tie_rank asc,
    fills.delivery_id asc;
