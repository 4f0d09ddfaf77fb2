-- Stores the splits that differ from what is known.
-- Grain: one row per statement of a split. Reads: staged_splits, splits. Writes: splits. Binds: load_id, recorded_at.
-- Money: -. Rerun: stores nothing.
-- Returns how many rows each file brought. Of several equal splits in one load the last line of the last file counts.
with given as (
    select distinct on (staged_splits.session_date, staged_splits.symbol)
        staged_splits.file_name,
        staged_splits.line_number,
        staged_splits.session_date,
        staged_splits.symbol,
        staged_splits.new_shares,
        staged_splits.old_shares
    from staged_splits
    order by
        staged_splits.session_date asc,
        staged_splits.symbol asc,
        staged_splits.file_name desc,
        staged_splits.line_number desc
),

known as (
    select distinct on (splits.session_date, splits.symbol)
        splits.session_date,
        splits.symbol,
        splits.new_shares,
        splits.old_shares
    from risk.splits
    order by
        splits.session_date asc,
        splits.symbol asc,
        splits.split_id desc
),

stored as (
    insert into risk.splits (
        load_id,
        file_name,
        line_number,
        session_date,
        symbol,
        new_shares,
        old_shares,
        recorded_at
    )
    select
        %(load_id)s,
        given.file_name,
        given.line_number,
        given.session_date,
        given.symbol,
        given.new_shares,
        given.old_shares,
        %(recorded_at)s
    from given
    left join known
        on
            given.session_date = known.session_date
            and given.symbol = known.symbol
    where
        known.symbol is null
        or (known.new_shares, known.old_shares) is distinct from (given.new_shares, given.old_shares)
    order by
        given.session_date,
        given.symbol
    returning splits.file_name
)

select
    stored.file_name,
    count(*) as loaded_count
from stored
group by stored.file_name
order by stored.file_name;
