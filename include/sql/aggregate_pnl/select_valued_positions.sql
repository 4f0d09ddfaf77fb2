-- Lists how the books value symbols, so that a valuation that a newer statement or fill has changed is found.
-- Grain: one row per session, symbol and valuation. Reads: positions, marks, instruments, splits.
-- Binds: session_date. Money: mark_price, multiplier and rate scaled by 1e8.
-- Of a position that was flat at the close only multiplier and rate count; one whose option has expired was not.
-- A statement about a root is one about every contract of it: all but plain equities and options (21 characters) count.
select distinct
    positions.session_date,
    positions.symbol,
    positions.currency,
    positions.quantity <> 0 or positions.expired_quantity <> 0 as is_open,
    positions.split_ratio,
    (positions.multiplier * 100000000)::bigint as multiplier,
    (positions.mark_price * 100000000)::bigint as mark_price,
    positions.mark_source,
    (positions.rate * 100000000)::bigint as rate,
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
        or exists (
            select 1
            from risk.marks
            where
                marks.symbol = positions.symbol
                and marks.multiplier is not null
        )
        or exists (
            select 1
            from risk.instruments
            where instruments.symbol = positions.symbol
        )
        or exists (
            select 1
            from risk.splits
            where positions.symbol in (splits.symbol, splits.new_symbol)
        )
    )
order by positions.session_date, positions.symbol;
