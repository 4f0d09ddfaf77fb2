-- A plain SQL function, so that the planner inlines it.
-- The corrections are collected into an array first: joined as rows, they and all that follows ran in one process,
-- since the planner reads the corrected fills in parallel and cannot nest that.
create function risk.collected_corrections(as_of timestamptz)
returns table (
    delivery_id bigint,
    line_number bigint,
    kind text,
    side text,
    quantity numeric,
    symbol text,
    price numeric,
    currency text,
    fees_usd numeric
)
language sql
stable
parallel safe
as $$
    select
        applied.delivery_id,
        applied.line_number,
        applied.kind,
        applied.side,
        applied.quantity,
        applied.symbol,
        applied.price,
        applied.currency,
        applied.fees_usd
    from
        unnest(
            array(select found from risk.applied_corrections(collected_corrections.as_of) as found)
        ) as applied (
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
$$;

comment on function risk.collected_corrections(timestamptz) is
'What applied_corrections says, for a join with many fills. Grain: one row per corrected fill. Units and signs as in '
'corrections.';
