-- Lists the account-sessions whose books lag behind their fills, and those that do not carry on what was open before.
-- Grain: one row per account, session and reason. Reads: book_inputs, daily_pnl, positions, sessions.
-- Binds: as_of, through_session_date. has_new_fills: whether a delivery, not only a position, is the reason.
-- Where every row was rejected there are books only if a position is carried.
with inputs as (
    select
        book_inputs.account_id,
        book_inputs.session_date,
        book_inputs.input_fingerprint,
        book_inputs.fill_count
    from risk.book_inputs(%(as_of)s) as book_inputs
    where
        (book_inputs.fill_count > 0 or book_inputs.is_incomplete)
        and book_inputs.session_date <= %(through_session_date)s
),

booked as not materialized (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        daily_pnl.input_fingerprint
    from derived.daily_pnl
    where daily_pnl.session_date <= %(through_session_date)s
)

select
    coalesce(inputs.account_id, booked.account_id) as account_id,
    coalesce(inputs.session_date, booked.session_date) as session_date,
    true as has_new_fills
from inputs
full join booked
    on
        inputs.account_id = booked.account_id
        and inputs.session_date = booked.session_date
where
    inputs.input_fingerprint is distinct from booked.input_fingerprint
    and (inputs.fill_count > 0 or booked.account_id is not null)
union all
select distinct
    positions.account_id,
    following.session_date,
    false as has_new_fills
from derived.positions
inner join risk.sessions as closing
    on positions.session_date = closing.session_date
inner join risk.sessions as following
    on following.session_number = closing.session_number + 1
left join booked
    on
        positions.account_id = booked.account_id
        and following.session_date = booked.session_date
where
    positions.quantity <> 0
    and following.session_date <= %(through_session_date)s
    and booked.account_id is null
order by session_date, account_id;
