-- Reads the daily results of some accounts in a range of sessions, with use of the limit and the cut that applied.
-- Grain: one row per booked account and session. Reads: daily_pnl, features, limit_receipts, scored_runs,
-- recommendations. Binds: account_ids, first_session_date, last_session_date.
-- Money: US dollars, gains positive; null where the books are incomplete.
-- typical_days: the result over the trader's typical daily P&L after the session; null without fills, or unknown.
-- outcome: of the limit, see limit_receipts; null = no receipt. cut_ratio: of the recommendation that counts for the
-- session; null = there is none.
-- The accounts and the range are stated for each table: the planner does not carry them over a join, and would read the
-- whole history of every account.
with counted as materialized (
    select
        scored.effective_session,
        scored.run_id
    from risk.scored_runs('infinity') as scored
    where scored.effective_session between %(first_session_date)s and %(last_session_date)s
)

select
    daily_pnl.account_id,
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.total_pnl_usd,
    case when daily_pnl.fill_count > 0 and daily_pnl.total_pnl_usd is not null then features.last_z end
        as typical_days,
    limit_receipts.outcome,
    recommendations.cut_ratio
from derived.daily_pnl
left join derived.features
    on
        daily_pnl.account_id = features.account_id
        and daily_pnl.session_date = features.session_date
        and features.account_id = any(%(account_ids)s::text[])
        and features.session_date between %(first_session_date)s and %(last_session_date)s
left join derived.limit_receipts
    on
        daily_pnl.account_id = limit_receipts.account_id
        and daily_pnl.session_date = limit_receipts.session_date
        and limit_receipts.account_id = any(%(account_ids)s::text[])
        and limit_receipts.session_date between %(first_session_date)s and %(last_session_date)s
left join counted on daily_pnl.session_date = counted.effective_session
left join results.recommendations
    on
        counted.run_id = recommendations.run_id
        and daily_pnl.account_id = recommendations.account_id
        and recommendations.account_id = any(%(account_ids)s::text[])
where
    daily_pnl.account_id = any(%(account_ids)s::text[])
    and daily_pnl.session_date between %(first_session_date)s and %(last_session_date)s
order by
    daily_pnl.account_id asc,
    daily_pnl.session_date desc;
