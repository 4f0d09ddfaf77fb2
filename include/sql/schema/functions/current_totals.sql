create function risk.current_totals(as_of timestamptz)
returns table (
    account_id text,
    session_date date,
    gross_pnl_usd numeric,
    net_pnl_usd numeric
)
language sql
stable
parallel safe
as $$
    with newest as (
        select distinct on (totals.account_id, totals.session_date)
            totals.account_id,
            totals.session_date,
            totals.gross_pnl_usd,
            totals.net_pnl_usd
        from risk.totals
        where totals.recorded_at <= current_totals.as_of
        order by
            totals.account_id asc,
            totals.session_date asc,
            coalesce(totals.published_at, totals.recorded_at) desc,
            totals.total_id desc
    )

    select
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        sum(newest.gross_pnl_usd) as gross_pnl_usd,
        sum(newest.net_pnl_usd) as net_pnl_usd
    from newest
    left join risk.renamed_accounts(current_totals.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
    group by
        coalesce(renamed.account_id, newest.account_id),
        newest.session_date
$$;

comment on function risk.current_totals(timestamptz) is
'P&L of an account-session by the source''s own books, as known at an instant. Grain: one row per account and '
'session. US dollars, gains positive.';
