-- Stores the statements about instruments that differ from what is known.
-- Grain: one row per statement. Reads: staged_instruments, instruments. Writes: instruments. Money: -.
-- Binds: load_id. Rerun: stores nothing.
-- Returns the file of each row stored.
with known as (
    select distinct on (instruments.valid_from, instruments.symbol)
        instruments.valid_from,
        instruments.symbol,
        instruments.multiplier,
        instruments.currency
    from risk.instruments
    order by
        instruments.valid_from asc,
        instruments.symbol asc,
        instruments.instrument_id desc
)

insert into risk.instruments (
    load_id,
    file_name,
    line_number,
    valid_from,
    symbol,
    multiplier,
    currency
)
select
    %(load_id)s,
    staged_instruments.file_name,
    staged_instruments.line_number,
    staged_instruments.valid_from,
    staged_instruments.symbol,
    staged_instruments.multiplier,
    staged_instruments.currency
from pg_temp.staged_instruments
left join known
    on
        staged_instruments.valid_from = known.valid_from
        and staged_instruments.symbol = known.symbol
where
    known.symbol is null
    or (known.multiplier, known.currency) is distinct from (staged_instruments.multiplier, staged_instruments.currency)
order by
    staged_instruments.valid_from,
    staged_instruments.symbol
returning instruments.file_name;
