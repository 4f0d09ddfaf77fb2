-- Reads what is stated about instruments up to a session.
-- Grain: one row per day and symbol. Reads: instruments. Writes: -. Binds: as_of, through_session_date. Money: -.
-- Rerun: reads only. multiplier scaled by 1e8.
with known as (
    select distinct on (instruments.valid_from, instruments.symbol)
        instruments.valid_from,
        instruments.symbol,
        instruments.multiplier,
        instruments.currency
    from risk.instruments
    where
        instruments.recorded_at <= %(as_of)s
        and instruments.valid_from <= %(through_session_date)s
    order by
        instruments.valid_from asc,
        instruments.symbol asc,
        instruments.instrument_id desc
)

select
    known.valid_from,
    known.symbol,
    (known.multiplier * 100000000)::bigint as multiplier,
    known.currency
from known
order by known.valid_from, known.symbol;
