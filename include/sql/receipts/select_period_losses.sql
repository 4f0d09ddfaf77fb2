-- Reads what the limits of a week, a month and the highest cumulative P&L are judged by, for a session.
-- Grain: one row per account with a receipt of the session, by name. Reads: limit_receipts, daily_pnl.
-- Binds: session_date. Money: US dollars, exact; losses positive, P&L signed; *_before_usd end with the session before.
-- A week begins on Monday. The highest cumulative P&L is one of closes, at least 0. Sessions with incomplete books are
-- counted; their P&L is 0 here.
with known as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date >= date_trunc('week', %(session_date)s::date) as is_in_week,
        daily_pnl.session_date >= date_trunc('month', %(session_date)s::date) as is_in_month,
        daily_pnl.total_pnl_usd is null as is_incomplete,
        coalesce(daily_pnl.total_pnl_usd, 0) as total_pnl_usd,
        sum(daily_pnl.total_pnl_usd) over (
            partition by daily_pnl.account_id
            order by daily_pnl.session_date
        ) as cumulative_usd
    from derived.daily_pnl
    where daily_pnl.session_date < %(session_date)s
),

earlier as (
    select
        known.account_id,
        sum(known.total_pnl_usd) filter (where known.is_in_week) as week_before_usd,
        sum(known.total_pnl_usd) filter (where known.is_in_month) as month_before_usd,
        sum(known.total_pnl_usd) as cumulative_before_usd,
        max(known.cumulative_usd) as peak_before_usd,
        count(*) filter (where known.is_incomplete and known.is_in_week) as week_incomplete_count,
        count(*) filter (where known.is_incomplete and known.is_in_month) as month_incomplete_count,
        count(*) filter (where known.is_incomplete) as incomplete_count
    from known
    group by known.account_id
)

select
    limit_receipts.account_id,
    limit_receipts.largest_loss_usd,
    limit_receipts.loss_from_top_usd,
    coalesce(earlier.week_before_usd, 0) as week_before_usd,
    coalesce(earlier.month_before_usd, 0) as month_before_usd,
    coalesce(earlier.cumulative_before_usd, 0) as cumulative_before_usd,
    greatest(earlier.peak_before_usd, 0) as peak_before_usd,
    coalesce(earlier.week_incomplete_count, 0) as week_incomplete_count,
    coalesce(earlier.month_incomplete_count, 0) as month_incomplete_count,
    coalesce(earlier.incomplete_count, 0) as incomplete_count
from derived.limit_receipts
left join earlier on limit_receipts.account_id = earlier.account_id
where limit_receipts.session_date = %(session_date)s
order by limit_receipts.account_id asc;
