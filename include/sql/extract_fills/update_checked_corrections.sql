-- Lets the order of several corrections of one id count as content: the last one holds.
-- Grain: one row per correction after the first of its id. Reads: checked_fills. Writes: checked_fills. Binds: -.
-- Money: -. Rerun: would count the order twice.
with placed as (
    select
        checked_fills.file_number,
        checked_fills.line_number,
        row_number() over (
            partition by checked_fills.file_number, checked_fills.account_id, checked_fills.fill_key
            order by checked_fills.line_number
        ) as place
    from checked_fills
    where
        checked_fills.correction_kind is not null
        and checked_fills.codes is null
)

update checked_fills set
    content_hash = hashint8extended(checked_fills.content_hash, placed.place)
from placed
where
    checked_fills.file_number = placed.file_number
    and checked_fills.line_number = placed.line_number
    and placed.place > 1;
