-- Lists what is booked to accounts beside their trading, as known at an instant: each adjustment and its opposite.
-- Grain: one row per account and booking. Reads: adjustments, renamed_accounts. Writes: -. Binds: -.
-- Money: amount_usd, US dollars, positive = credit to account_id; zeros, which take back, are dropped.
-- Rerun: applied once. What was booked to an account under a former name is the person's, as its trades are.
create or replace function booked_adjustments(as_of timestamptz)
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
    with known as (
        select
            told.*,
            max(told.load_id) over (partition by told.account_id, told.session_date) as newest_load_id
        from adjustments as told
        where told.recorded_at <= booked_adjustments.as_of
    ),

    booked as (
        select
            sides.account_id,
            known.session_date,
            known.category,
            sides.amount_usd,
            known.comment,
            known.load_id,
            known.file_name,
            known.line_number
        from known
        cross join lateral (
            values (known.account_id, known.amount_usd), (known.offset_account_id, -known.amount_usd)
        ) as sides (account_id, amount_usd)
        where
            known.load_id = known.newest_load_id
            and known.amount_usd <> 0
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
    left join renamed_accounts(booked_adjustments.as_of) as renamed
        on
            booked.account_id = renamed.former_account_id
            and booked.session_date >= renamed.starts_at
            and booked.session_date < renamed.ends_before
$$;
