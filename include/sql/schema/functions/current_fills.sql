-- A plain SQL function, so that the planner inlines it.
-- The session is the fills' own, so that a range of sessions reaches their index, and a join by the delivery's key
-- alone is estimated well: by key and session together the planner expected one fill of 400, and sorted a million
-- instead of hashing them.
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
        corrected.delivery_id,
        corrected.line_number,
        current_ones.account_id,
        corrected.session_date,
        corrected.executed_at,
        corrected.is_time_unknown,
        corrected.tie_rank,
        corrected.side,
        corrected.quantity,
        corrected.symbol,
        corrected.price,
        corrected.currency,
        corrected.fees_usd,
        corrected.fill_key,
        corrected.order_id
    from risk.current_deliveries(current_fills.as_of) as current_ones
    inner join risk.corrected_fills(current_fills.as_of) as corrected
        on current_ones.delivery_id = corrected.delivery_id
$$;

comment on function risk.current_fills(timestamptz) is
'The fills that count, as known at an instant: those of the current deliveries, with corrections applied. '
'Grain: one row per delivery and line. Units and signs as in fills.';
