-- Lists how the books value symbols, so that a valuation that a newer mark or fill has changed is found.
-- Grain: one row per session, symbol and valuation. Reads: positions, marks. Writes: -. Rerun: reads only.
-- Binds: session_date. Money: mark_price and multiplier scaled by 1e8. Of a flat position only the multiplier counts.
select distinct
    positions.session_date,
    positions.symbol,
    positions.currency,
    positions.quantity <> 0 as is_open,
    (positions.multiplier * 100000000)::bigint as multiplier,
    (positions.mark_price * 100000000)::bigint as mark_price,
    positions.mark_source
from positions
where
    positions.session_date <= %(session_date)s
    and (
        positions.quantity <> 0
        or positions.multiplier is null
        or exists (
            select 1
            from marks
            where
                marks.symbol = positions.symbol
                and marks.multiplier is not null
        )
    )
order by positions.session_date, positions.symbol;
