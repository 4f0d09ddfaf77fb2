-- Reads what is stated about instruments up to a session.
-- Grain: one row per day and symbol. Reads: instruments. Binds: as_of, through_session_date.
-- multiplier scaled by 1e8.
with latest_instruments as (
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
    latest_instruments.valid_from,
    latest_instruments.symbol,
    (latest_instruments.multiplier * 100000000)::bigint as multiplier,
    latest_instruments.currency
from latest_instruments
order by latest_instruments.valid_from, latest_instruments.symbol;
