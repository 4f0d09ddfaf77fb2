-- Stores the adjustments of each account and session for which they are not exactly those that are known.
-- Grain: one row per adjustment. Reads: staged_adjustments, adjustments. Writes: adjustments. Rerun: stores nothing.
-- Binds: load_id. Money: amount_usd, US dollars, positive = credit.
-- Returns the file of each row stored. What a load says of an account in a session replaces what was known of it
-- whole: of equal rows in one file each is an adjustment of its own.
with given as (
    select
        stated.account_id,
        stated.session_date,
        array_agg(stated.entry order by stated.entry) as entries
    from (
        select
            staged_adjustments.account_id,
            staged_adjustments.session_date,
            row(
                staged_adjustments.category, staged_adjustments.offset_account_id, staged_adjustments.amount_usd,
                coalesce(staged_adjustments.comment, '')
            )::text as entry
        from pg_temp.staged_adjustments
    ) as stated
    group by stated.account_id, stated.session_date
),

known as (
    select
        stated.account_id,
        stated.session_date,
        array_agg(stated.entry order by stated.entry) as entries
    from (
        select
            adjustments.account_id,
            adjustments.session_date,
            adjustments.load_id,
            row(
                adjustments.category, adjustments.offset_account_id, adjustments.amount_usd, adjustments.comment
            )::text as entry,
            max(adjustments.load_id) over (
                partition by adjustments.account_id, adjustments.session_date
            ) as newest_load_id
        from risk.adjustments
    ) as stated
    where stated.load_id = stated.newest_load_id
    group by stated.account_id, stated.session_date
),

changed as (
    select
        given.account_id,
        given.session_date
    from given
    left join known
        on
            given.account_id = known.account_id
            and given.session_date = known.session_date
    where known.entries is distinct from given.entries
)

insert into risk.adjustments (
    load_id,
    file_name,
    line_number,
    session_date,
    account_id,
    offset_account_id,
    category,
    amount_usd,
    comment
)
select
    %(load_id)s,
    staged_adjustments.file_name,
    staged_adjustments.line_number,
    staged_adjustments.session_date,
    staged_adjustments.account_id,
    staged_adjustments.offset_account_id,
    staged_adjustments.category,
    staged_adjustments.amount_usd,
    coalesce(staged_adjustments.comment, '')
from pg_temp.staged_adjustments
inner join changed
    on
        staged_adjustments.account_id = changed.account_id
        and staged_adjustments.session_date = changed.session_date
order by
    staged_adjustments.file_name,
    staged_adjustments.line_number
returning adjustments.file_name;
