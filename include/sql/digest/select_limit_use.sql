-- Counts breaches and other limit hits of a week, as the books are now.
-- Grain: one row. Reads: limit_receipts. Binds: from_date, through_date.
select
    count(*) as receipt_count,
    count(*) filter (where limit_receipts.outcome = 'breach') as breach_count,
    count(*) filter (where limit_receipts.outcome = 'hit') as hit_count
from derived.limit_receipts
where
    limit_receipts.session_date >= %(from_date)s
    and limit_receipts.session_date <= %(through_date)s;
