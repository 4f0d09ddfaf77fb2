-- Lists the deliveries whose fills make up the books of some accounts, in the order the books are computed in.
-- Grain: one row per delivery; deliveries of merged accounts together. Reads: current_deliveries, book_inputs.
-- Binds: as_of, through_session_date, account_ids and first_session_dates (arrays of equal length), the earliest of
-- these, first_session_date, and source_account_ids.
-- basis_id: what daily_pnl notes as the basis of the account and session. fill_count: canceled ones, too.
-- is_incomplete: whether rows that may be executions are missing.
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
)

select
    booked.session_date,
    booked.account_id collate "C" as account_id,
    current_ones.delivery_id,
    booked.input_fingerprint as basis_id,
    current_ones.loaded_count as fill_count,
    current_ones.lost_count > 0 or current_ones.stated_count is not null as is_incomplete
from risk.current_deliveries(%(as_of)s) as current_ones
inner join risk.book_inputs(%(as_of)s, %(source_account_ids)s::text[]) as booked
    on
        current_ones.account_id = booked.account_id
        and current_ones.session_date = booked.session_date
inner join touched
    on
        booked.account_id = touched.account_id
        and booked.session_date >= touched.first_session_date
-- What is touched, once more for each function: neither looks at anything else then.
where
    current_ones.source_account_id = any(%(source_account_ids)s::text[])
    and current_ones.session_date between %(first_session_date)s and %(through_session_date)s
    and booked.session_date between %(first_session_date)s and %(through_session_date)s
order by booked.session_date, account_id, current_ones.delivery_id;
