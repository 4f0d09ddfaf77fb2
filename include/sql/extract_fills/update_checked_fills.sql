-- Marks repeated ids: rows of the same content after the first are duplicates, different ones are all rejected.
-- Grain: one row per account, session and id that occurs twice in a file. Reads: checked_fills. Writes: checked_fills.
-- Binds: -. Money: -. Rerun: changes nothing.
-- Rows without an id are never duplicates: two equal ones are two genuine partial fills. Corrections repeat an id on
-- purpose.
-- Usually there are none, which the number of different hashes shows: to sort integers takes a third of the time that
-- grouping takes. "offset 0" keeps the planner from sorting records beside their hashes.
with hashed as (
    select
        hashtextextended(
            checked_fills.fill_key, hashtextextended(checked_fills.account_id, checked_fills.file_number)
        ) as hash
    from checked_fills
    where
        checked_fills.codes is null
        and checked_fills.correction_kind is null
        and checked_fills.fill_key is not null
    offset 0 -- noqa: AM09
),

repeated as (
    select
        checked_fills.file_number,
        checked_fills.account_id,
        checked_fills.session_date,
        checked_fills.fill_key,
        min(checked_fills.line_number) as first_line_number,
        min(checked_fills.content_hash) = max(checked_fills.content_hash) as is_same
    from checked_fills
    where
        (select count(*) > count(distinct hashed.hash) from hashed)
        and checked_fills.fill_key is not null
        and checked_fills.codes is null
        and checked_fills.correction_kind is null
    group by
        checked_fills.file_number,
        checked_fills.account_id,
        checked_fills.session_date,
        checked_fills.fill_key
    having count(*) > 1
)

update checked_fills set
    codes = case when repeated.is_same then 'duplicate' else 'repeated_id' end
from repeated
where
    checked_fills.file_number = repeated.file_number
    and checked_fills.account_id = repeated.account_id
    and checked_fills.session_date = repeated.session_date
    and checked_fills.fill_key = repeated.fill_key
    and checked_fills.codes is null
    and checked_fills.correction_kind is null
    and not (repeated.is_same and checked_fills.line_number = repeated.first_line_number);
