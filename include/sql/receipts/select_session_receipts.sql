-- Reads what each account did with its limit in a session.
-- Grain: one row per account whose books are complete, by name. Reads: limit_receipts. Binds: session_date.
-- Money: US dollars; losses positive, P&L signed.
select
    limit_receipts.account_id,
    limit_receipts.outcome,
    limit_receipts.limit_usd,
    limit_receipts.limit_source,
    limit_receipts.limit_since,
    limit_receipts.limit_count,
    limit_receipts.use_ratio,
    limit_receipts.largest_loss_usd,
    limit_receipts.largest_loss_at,
    limit_receipts.loss_from_top_usd,
    limit_receipts.final_usd,
    limit_receipts.hit_kind,
    limit_receipts.hit_at,
    limit_receipts.hit_symbol,
    limit_receipts.hit_price,
    limit_receipts.hit_before_usd,
    limit_receipts.hit_after_usd,
    limit_receipts.furthest_usd,
    limit_receipts.enlarging_fill_count,
    limit_receipts.minutes_until_flat,
    limit_receipts.breach_reasons
from derived.limit_receipts
where limit_receipts.session_date = %(session_date)s
order by limit_receipts.account_id asc;
