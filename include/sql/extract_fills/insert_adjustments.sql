-- Stores the adjustments of each account and session for which they are not exactly those that are known.
-- Grain: one row per adjustment. Reads: staged_adjustments, adjustments. Writes: adjustments. Rerun: stores nothing.
-- Binds: load_id, recorded_at. Money: amount_usd, US dollars, positive = credit.
-- Returns how many rows each file brought. What a load says of an account in a session replaces what was known of it
-- whole: of equal rows in one file each is an adjustment of its own.
with given as (
    select
        staged_adjustments.account_id,
        staged_adjustments.session_date,
        array_agg(
            row(staged_adjustments.category, staged_adjustments.offset_account_id, staged_adjustments.amount_usd, coalesce(staged_adjustments.comment, ''))::text
            order by staged_adjustments.category, staged_adjustments.offset_account_id, staged_adjustments.amount_usd, coalesce(staged_adjustments.comment, '')
        ) as entries
    from staged_adjustments
    group by staged_adjustments.account_id, staged_adjustments.session_date
),

known as (
    select
        adjustments.account_id,
        adjustments.session_date,
        array_agg(
            row(adjustments.category, adjustments.offset_account_id, adjustments.amount_usd, adjustments.comment)::text
            order by adjustments.category, adjustments.offset_account_id, adjustments.amount_usd, adjustments.comment
        ) as entries
    from adjustments
    where
        adjustments.load_id = (
            select max(newest.load_id)
            from adjustments as newest
            where
                newest.account_id = adjustments.account_id
                and newest.session_date = adjustments.session_date
        )
    group by adjustments.account_id, adjustments.session_date
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
),

stored as (
    insert into adjustments (
        load_id,
        file_name,
        line_number,
        session_date,
        account_id,
        offset_account_id,
        category,
        amount_usd,
        comment,
        recorded_at
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
        coalesce(staged_adjustments.comment, ''),
        %(recorded_at)s
    from staged_adjustments
    inner join changed
        on
            staged_adjustments.account_id = changed.account_id
            and staged_adjustments.session_date = changed.session_date
    order by
        staged_adjustments.file_name,
        staged_adjustments.line_number
    returning adjustments.file_name
)

select
    stored.file_name,
    count(*) as loaded_count
from stored
group by stored.file_name
order by stored.file_name;
