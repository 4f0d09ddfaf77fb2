-- Lists what is booked to accounts beside their trading, as known at an instant: each adjustment and its opposite.
-- Grain: one row per account and booking. Reads: adjustments. Writes: -. Binds: -. Rerun: applied once.
-- Money: amount_usd, US dollars, positive = credit to account_id.
create function booked_adjustments(as_of timestamptz)
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
    )

    select
        known.account_id,
        known.session_date,
        known.category,
        known.amount_usd,
        known.comment,
        known.load_id,
        known.file_name,
        known.line_number
    from known
    where known.load_id = known.newest_load_id
    union all
    select
        known.offset_account_id as account_id,
        known.session_date,
        known.category,
        -known.amount_usd as amount_usd,
        known.comment,
        known.load_id,
        known.file_name,
        known.line_number
    from known
    where
        known.load_id = known.newest_load_id
        and known.offset_account_id is not null
$$;
