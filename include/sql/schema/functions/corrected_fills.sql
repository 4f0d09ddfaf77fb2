-- A plain SQL function, so that the planner inlines it: a list of deliveries reaches their index.
-- A corrected fill keeps its place in time: what is corrected is what was traded, not when.
-- Not "kind is distinct from 'canceled'": without corrections the planner then estimates that no fill is left.
create function risk.corrected_fills(as_of timestamptz)
returns table (
    delivery_id bigint,
    line_number bigint,
    session_date date,
    executed_at timestamptz,
    is_time_unknown boolean,
    tie_rank integer,
    side text,
    quantity numeric,
    symbol text,
    price numeric,
    currency text,
    fees_usd numeric,
    fill_key text,
    order_id text
)
language sql
stable
parallel safe
as $$
    select
        fills.delivery_id,
        fills.line_number,
        fills.session_date,
        fills.executed_at,
        fills.is_time_unknown,
        fills.tie_rank,
        coalesce(applied.side, fills.side) as side,
        coalesce(applied.quantity, fills.quantity) as quantity,
        coalesce(applied.symbol, fills.symbol) as symbol,
        coalesce(applied.price, fills.price) as price,
        case when applied.kind is null then fills.currency else applied.currency end as currency,
        coalesce(applied.fees_usd, fills.fees_usd) as fees_usd,
        fills.fill_key,
        fills.order_id
    from risk.fills
    left join risk.collected_corrections(corrected_fills.as_of) as applied
        on
            fills.delivery_id = applied.delivery_id
            and fills.line_number = applied.line_number
    where not coalesce(applied.kind = 'canceled', false)
$$;

comment on function risk.corrected_fills(timestamptz) is
'The fills of all deliveries, also of those that do not count, with the corrections applied that are known at an '
'instant, without those canceled. Grain: one row per delivery and line. Units and signs as in fills.';
