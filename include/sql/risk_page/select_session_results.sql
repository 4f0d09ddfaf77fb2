-- Reads every booked session of an account with its result and what it did with its limit, as the books are now.
-- Grain: one row per session, oldest first. Reads: daily_pnl, limit_receipts. Binds: account_id.
-- Money: US dollars, gains positive, losses of the limit positive; null where the books are incomplete or no receipt is
-- made yet.
select
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.turnover_usd,
    daily_pnl.gross_pnl_usd,
    daily_pnl.fees_usd,
    daily_pnl.unrealized_delta_usd,
    daily_pnl.total_pnl_usd,
    limit_receipts.limit_usd,
    limit_receipts.largest_loss_usd,
    limit_receipts.loss_from_top_usd,
    limit_receipts.use_ratio,
    limit_receipts.outcome,
    limit_receipts.hit_kind
from derived.daily_pnl
left join derived.limit_receipts
    on
        daily_pnl.account_id = limit_receipts.account_id
        and daily_pnl.session_date = limit_receipts.session_date
where daily_pnl.account_id = %(account_id)s
order by daily_pnl.session_date asc;
