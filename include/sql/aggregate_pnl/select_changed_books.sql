-- Lists the account-sessions whose books lag behind their fills.
-- Grain: one row per account and session. Reads: book_inputs, daily_pnl. Writes: -. Money: -.
-- Binds: as_of, through_session_date. Rerun: reads only.
with known as (
    select
        booked.account_id,
        booked.session_date,
        booked.input_fingerprint
    from risk.book_inputs(%(as_of)s) as booked
    where
        booked.fill_count > 0
        and booked.session_date <= %(through_session_date)s
),

cached as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        daily_pnl.input_fingerprint
    from derived.daily_pnl
    where daily_pnl.session_date <= %(through_session_date)s
)

select
    coalesce(known.account_id, cached.account_id) as account_id,
    coalesce(known.session_date, cached.session_date) as session_date
from known
full join cached
    on
        known.account_id = cached.account_id
        and known.session_date = cached.session_date
where known.input_fingerprint is distinct from cached.input_fingerprint
order by session_date, account_id;
