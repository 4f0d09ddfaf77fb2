-- Stores the splits that differ from what is known.
-- Grain: one row per statement of a split. Reads: staged_splits, splits. Writes: splits. Binds: load_id.
-- Money: -. Rerun: stores nothing.
-- Returns the file of each row stored.
with known as (
    select distinct on (splits.session_date, splits.symbol)
        splits.session_date,
        splits.symbol,
        splits.new_shares,
        splits.old_shares,
        splits.new_symbol
    from risk.splits
    order by
        splits.session_date asc,
        splits.symbol asc,
        splits.split_id desc
)

insert into risk.splits (
    load_id,
    file_name,
    line_number,
    session_date,
    symbol,
    new_shares,
    old_shares,
    new_symbol
)
select
    %(load_id)s,
    staged_splits.file_name,
    staged_splits.line_number,
    staged_splits.session_date,
    staged_splits.symbol,
    staged_splits.new_shares,
    staged_splits.old_shares,
    staged_splits.new_symbol
from pg_temp.staged_splits
left join known
    on
        staged_splits.session_date = known.session_date
        and staged_splits.symbol = known.symbol
where
    known.symbol is null
    or (known.new_shares, known.old_shares, known.new_symbol)
    is distinct from (staged_splits.new_shares, staged_splits.old_shares, staged_splits.new_symbol)
order by
    staged_splits.session_date,
    staged_splits.symbol
returning splits.file_name;
