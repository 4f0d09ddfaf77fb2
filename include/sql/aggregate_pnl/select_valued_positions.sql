-- Lists how the books value symbols, so that a valuation that a newer statement or fill has changed is found.
-- Grain: one row per session, symbol and valuation, in no order. Reads: positions, marks, instruments, splits.
-- Binds: session_date. Money: mark_price, multiplier and rate scaled by 1e8.
-- Of a position that was flat at the close only multiplier and rate count; one whose option has expired was not.
-- A statement about a root is one about every contract of it: all but plain equities and options (21 characters) count.
-- The first part has the condition of the index positions_valued, which most positions are not in.
with stated as (
    select marks.symbol
    from risk.marks
    where marks.multiplier is not null
    union
    select instruments.symbol
    from risk.instruments
    union
    select splits.symbol
    from risk.splits
    union
    select splits.new_symbol
    from risk.splits
),

valued as (
    select
        positions.session_date,
        positions.symbol,
        positions.currency,
        positions.quantity <> 0 or positions.expired_quantity <> 0 as is_open,
        positions.split_ratio,
        positions.multiplier,
        positions.mark_price,
        positions.mark_source,
        positions.rate,
        positions.rate_source,
        positions.rate_date
    from derived.positions
    where
        positions.session_date <= %(session_date)s
        and (
            positions.quantity <> 0
            or positions.expired_quantity <> 0
            or positions.multiplier is null
            or positions.rate is distinct from 1
            or positions.split_ratio is not null
            or (positions.symbol !~ '^[A-Z]+$' and length(positions.symbol) <> 21)
        )
    union
    select
        positions.session_date,
        positions.symbol,
        positions.currency,
        positions.quantity <> 0 or positions.expired_quantity <> 0 as is_open,
        positions.split_ratio,
        positions.multiplier,
        positions.mark_price,
        positions.mark_source,
        positions.rate,
        positions.rate_source,
        positions.rate_date
    from derived.positions
    inner join stated on positions.symbol = stated.symbol
    where positions.session_date <= %(session_date)s
)

select
    valued.session_date,
    valued.symbol,
    valued.currency,
    valued.is_open,
    valued.split_ratio,
    (valued.multiplier * 100000000)::bigint as multiplier,
    (valued.mark_price * 100000000)::bigint as mark_price,
    valued.mark_source,
    (valued.rate * 100000000)::bigint as rate,
    valued.rate_source,
    valued.rate_date
from valued;
