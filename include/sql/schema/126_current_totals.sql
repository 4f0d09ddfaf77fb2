-- The one definition of what a source's own books say of an account-session, as known at an instant.
-- Grain: one row per account and session with a statement. Reads: totals. Writes: -. Binds: -.
-- Money: US dollars, gains positive. Rerun: applied once.
create function current_totals(as_of timestamptz)
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
    select distinct on (totals.account_id, totals.session_date)
        totals.account_id,
        totals.session_date,
        totals.gross_pnl_usd,
        totals.net_pnl_usd
    from totals
    where totals.recorded_at <= current_totals.as_of
    order by
        totals.account_id asc,
        totals.session_date asc,
        coalesce(totals.published_at, totals.recorded_at) desc,
        totals.total_id desc
$$;
