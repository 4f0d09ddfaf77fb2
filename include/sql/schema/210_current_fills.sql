-- The one definition of the fills that count, as known at an instant: of the current deliveries, with corrections.
-- Grain: one row per delivery and line. Reads: fills, current_deliveries, settled_corrections. Writes: -. Binds: -.
-- Money: as in fills. Rerun: applied once. Replaces 175: the same rows.
-- The session is the fills' own, so that a range of sessions reaches their index, and a join by the delivery's key
-- alone is estimated right: by key and session together the planner expected one fill of 400, and sorted a million
-- instead of hashing them.
-- The corrections are gathered first, into an array: joined as rows, they and all that follows ran in one process,
-- since the planner has several read the fills they mean and cannot have that within what several do anyway.
-- A corrected fill keeps its place in time: what is corrected is what was traded, not when.
-- Not "kind is distinct from 'canceled'": where there are no corrections the planner believes that no fill is left.
-- A plain SQL function, so that the planner inlines it.
create or replace function current_fills(as_of timestamptz)
returns table (
    delivery_id bigint,
    line_number bigint,
    account_id text,
    session_date date,
    executed_at timestamptz,
    is_time_unknown boolean,
    side text,
    quantity numeric,
    symbol text,
    price numeric,
    currency text,
    fees_usd numeric,
    fill_key text
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
        coalesce(settled.side, fills.side) as side,
        coalesce(settled.quantity, fills.quantity) as quantity,
        coalesce(settled.symbol, fills.symbol) as symbol,
        coalesce(settled.price, fills.price) as price,
        case when settled.kind is null then fills.currency else settled.currency end as currency,
        coalesce(settled.fees_usd, fills.fees_usd) as fees_usd,
        fills.fill_key
    from current_deliveries(current_fills.as_of) as current_ones
    inner join fills
        on current_ones.delivery_id = fills.delivery_id
    left join
        unnest(
            array(select found from settled_corrections(current_fills.as_of) as found)
        ) as settled (
            delivery_id bigint,
            line_number bigint,
            correcting_delivery_id bigint,
            kind text,
            side text,
            quantity numeric,
            symbol text,
            price numeric,
            currency text,
            fees_usd numeric
        )
        on
            fills.delivery_id = settled.delivery_id
            and fills.line_number = settled.line_number
    where not coalesce(settled.kind = 'canceled', false)
$$;
