-- Reads what accounts did with their limits, as the books of this connection have it.
-- Grain: one row per account and session whose books are complete. Reads: limit_receipts.
-- Binds: through_session_date. Money: US dollars, losses positive.
select
    limit_receipts.account_id,
    limit_receipts.session_date,
    limit_receipts.outcome,
    limit_receipts.limit_usd,
    limit_receipts.limit_source,
    limit_receipts.limit_since,
    limit_receipts.use_ratio,
    limit_receipts.largest_loss_usd,
    limit_receipts.largest_loss_at,
    limit_receipts.final_usd,
    limit_receipts.hit_kind,
    limit_receipts.hit_at,
    array_to_string(limit_receipts.breach_reasons, '; ') as breach_reasons
from derived.limit_receipts
where limit_receipts.session_date <= %(through_session_date)s
order by
    limit_receipts.account_id asc,
    limit_receipts.session_date asc;
