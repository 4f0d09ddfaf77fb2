-- Stores the closing prices that differ from what is known.
-- Grain: one row per statement of a mark. Reads: staged_marks, marks. Writes: marks. Binds: load_id.
-- Money: price in currency; null = the source says there is none. Rerun: stores nothing.
-- Returns the file of each row stored.
with known as (
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
)

insert into risk.marks (
    load_id,
    file_name,
    line_number,
    session_date,
    symbol,
    price,
    volume,
    currency,
    multiplier
)
select
    %(load_id)s,
    staged_marks.file_name,
    staged_marks.line_number,
    staged_marks.session_date,
    staged_marks.symbol,
    staged_marks.price,
    staged_marks.volume,
    staged_marks.currency,
    staged_marks.multiplier
from pg_temp.staged_marks
left join known
    on
        staged_marks.session_date = known.session_date
        and staged_marks.symbol = known.symbol
where
    known.symbol is null
    or (known.price, known.volume, known.currency, known.multiplier)
    is distinct from (staged_marks.price, staged_marks.volume, staged_marks.currency, staged_marks.multiplier)
order by
    staged_marks.session_date,
    staged_marks.symbol
returning marks.file_name;
