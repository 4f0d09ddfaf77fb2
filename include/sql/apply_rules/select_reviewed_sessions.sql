-- Reads how much each account lost at most in each session it traded or carried a position through, and whether a
-- limit ended it: stopped there, without opening or enlarging a position afterwards, so that the loss would have been
-- at least that. A loss first seen at the closing marks was ended by the close.
-- Grain: one row per account and session, by account, oldest first. Reads: limit_receipts, running_lows.
-- Binds: through_session_date. Money: US dollars, positive, 0 = no loss.
select
    limit_receipts.account_id,
    limit_receipts.largest_loss_usd,
    limit_receipts.outcome = 'hit' and limit_receipts.hit_kind <> 'close' as is_stopped
from derived.limit_receipts
inner join derived.running_lows
    on
        limit_receipts.account_id = running_lows.account_id
        and limit_receipts.session_date = running_lows.session_date
where
    limit_receipts.session_date <= %(through_session_date)s
    and (running_lows.first_fill_at is not null or running_lows.close_usd <> 0)
order by
    limit_receipts.account_id asc,
    limit_receipts.session_date asc;
