-- Reads what accounts did with their limits, the newest sessions first.
-- Grain: one row per session and account whose books are complete, by name.
-- Reads: limit_receipts. Money: US dollars, losses positive.
-- Binds: session_date, account_id, row_count; null = all.
select
    limit_receipts.session_date,
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
where
    (%(session_date)s::date is null or limit_receipts.session_date = %(session_date)s)
    and (%(account_id)s::text is null or limit_receipts.account_id = %(account_id)s)
order by
    limit_receipts.session_date desc,
    limit_receipts.account_id asc
limit %(row_count)s;
