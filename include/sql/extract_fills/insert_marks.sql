-- Stores the closing prices that differ from what is known.
-- Grain: one row per statement of a mark. Reads: staged_marks, marks. Writes: marks. Binds: load_id, recorded_at.
-- Money: price in currency; null = the source says there is none. Rerun: stores nothing.
-- Returns how many rows each file brought. Of several marks of one symbol in one load the last line of the last file
-- counts.
with given as (
    select distinct on (staged_marks.session_date, staged_marks.symbol)
        staged_marks.file_name,
        staged_marks.line_number,
        staged_marks.session_date,
        staged_marks.symbol,
        staged_marks.price,
        staged_marks.volume,
        staged_marks.currency,
        staged_marks.multiplier
    from staged_marks
    order by
        staged_marks.session_date asc,
        staged_marks.symbol asc,
        staged_marks.file_name desc,
        staged_marks.line_number desc
),

known as (
    select distinct on (marks.session_date, marks.symbol)
        marks.session_date,
        marks.symbol,
        marks.price,
        marks.volume,
        marks.currency,
        marks.multiplier
    from risk.marks
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
),

stored as (
    insert into risk.marks (
        load_id,
        file_name,
        line_number,
        session_date,
        symbol,
        price,
        volume,
        currency,
        multiplier,
        recorded_at
    )
    select
        %(load_id)s,
        given.file_name,
        given.line_number,
        given.session_date,
        given.symbol,
        given.price,
        given.volume,
        given.currency,
        given.multiplier,
        %(recorded_at)s
    from given
    left join known
        on
            given.session_date = known.session_date
            and given.symbol = known.symbol
    where
        known.symbol is null
        or (known.price, known.volume, known.currency, known.multiplier)
        is distinct from (given.price, given.volume, given.currency, given.multiplier)
    order by
        given.session_date,
        given.symbol
    returning marks.file_name
)

select
    stored.file_name,
    count(*) as loaded_count
from stored
group by stored.file_name
order by stored.file_name;
