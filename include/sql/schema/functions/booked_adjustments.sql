create function risk.booked_adjustments(as_of timestamptz)
returns table (
    account_id text,
    session_date date,
    category text,
    amount_usd numeric,
    comment text,
    load_id bigint,
    file_name text,
    line_number bigint
)
language sql
stable
parallel safe
as $$
    with latest as (
        select
            stated.*,
            max(stated.load_id) over (partition by stated.account_id, stated.session_date) as newest_load_id
        from risk.adjustments as stated
        where stated.recorded_at <= booked_adjustments.as_of
    ),

    booked as (
        select
            sides.account_id,
            latest.session_date,
            latest.category,
            sides.amount_usd,
            latest.comment,
            latest.load_id,
            latest.file_name,
            latest.line_number
        from latest
        cross join lateral (
            values (latest.account_id, latest.amount_usd), (latest.offset_account_id, -latest.amount_usd)
        ) as sides (account_id, amount_usd)
        where
            latest.load_id = latest.newest_load_id
            and latest.amount_usd <> 0
            and sides.account_id is not null
    )

    select
        coalesce(renamed.account_id, booked.account_id) as account_id,
        booked.session_date,
        booked.category,
        booked.amount_usd,
        booked.comment,
        booked.load_id,
        booked.file_name,
        booked.line_number
    from booked
    left join risk.renamed_accounts(booked_adjustments.as_of) as renamed
        on
            booked.account_id = renamed.former_account_id
            and booked.session_date >= renamed.starts_at
            and booked.session_date < renamed.ends_before
$$;

comment on function risk.booked_adjustments(timestamptz) is
'Adjustments booked to accounts, as known at an instant: each adjustment and its offset. What was booked under '
'a former name counts under the present one. Grain: one row per account and booking. US dollars, positive = '
'credit to account_id; zeros, which withdraw, are dropped.';
