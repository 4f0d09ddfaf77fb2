-- Stores the statements about instruments that differ from what is known.
-- Grain: one row per statement. Reads: staged_instruments, instruments. Writes: instruments. Money: -.
-- Binds: load_id, recorded_at. Rerun: stores nothing.
-- Returns how many rows each file brought. Of equal statements in one load the last line of the last file counts.
with given as (
    select distinct on (staged_instruments.valid_from, staged_instruments.symbol)
        staged_instruments.file_name,
        staged_instruments.line_number,
        staged_instruments.valid_from,
        staged_instruments.symbol,
        staged_instruments.multiplier,
        staged_instruments.currency
    from staged_instruments
    order by
        staged_instruments.valid_from asc,
        staged_instruments.symbol asc,
        staged_instruments.file_name desc,
        staged_instruments.line_number desc
),

known as (
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
),

stored as (
    insert into risk.instruments (
        load_id,
        file_name,
        line_number,
        valid_from,
        symbol,
        multiplier,
        currency,
        recorded_at
    )
    select
        %(load_id)s,
        given.file_name,
        given.line_number,
        given.valid_from,
        given.symbol,
        given.multiplier,
        given.currency,
        %(recorded_at)s
    from given
    left join known
        on
            given.valid_from = known.valid_from
            and given.symbol = known.symbol
    where
        known.symbol is null
        or (known.multiplier, known.currency) is distinct from (given.multiplier, given.currency)
    order by
        given.valid_from,
        given.symbol
    returning instruments.file_name
)

select
    stored.file_name,
    count(*) as loaded_count
from stored
group by stored.file_name
order by stored.file_name;
