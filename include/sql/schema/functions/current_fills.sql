-- A plain SQL function, so that the planner inlines it.
-- The session is the fills' own, so that a range of sessions reaches their index, and a join by the delivery's key
-- alone is estimated well: by key and session together the planner expected one fill of 400, and sorted a million
-- instead of hashing them.
-- A corrected fill keeps its place in time: what is corrected is what was traded, not when.
-- Not "kind is distinct from 'canceled'": without corrections the planner then estimates that no fill is left.
create function risk.current_fills(as_of timestamptz)
returns table (
    delivery_id bigint,
    line_number bigint,
    account_id text,
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
        current_ones.account_id,
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
    from risk.current_deliveries(current_fills.as_of) as current_ones
    inner join risk.fills
        on current_ones.delivery_id = fills.delivery_id
    left join risk.collected_corrections(current_fills.as_of) as applied
        on
            fills.delivery_id = applied.delivery_id
            and fills.line_number = applied.line_number
    where not coalesce(applied.kind = 'canceled', false)
$$;

comment on function risk.current_fills(timestamptz) is
'The fills that count, as known at an instant: those of the current deliveries, with corrections applied. '
'Grain: one row per delivery and line. Units and signs as in fills.';
