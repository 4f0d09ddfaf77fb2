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
),

followed as (
    select
        sessions.session_date,
        lead(sessions.session_date) over (order by sessions.session_date) as following_session_date
    from risk.sessions
    where sessions.session_date <= %(through_session_date)s
),

ended as (
    select
        booked.account_id,
        booked.session_date,
        followed.following_session_date
    from booked
    inner join followed on booked.session_date = followed.session_date
    where
        followed.following_session_date is not null
        and not exists (
            select
            from booked as continued
            where
                continued.account_id = booked.account_id
                and continued.session_date = followed.following_session_date
        )
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
select
    ended.account_id,
    ended.following_session_date as session_date,
    false as has_new_fills
from ended
-- A count, so that the planner begins with the rows of ended: with EXISTS it would read all open positions first.
cross join
    lateral (
        select count(*) as open_count
        from derived.positions
        where
            positions.account_id = ended.account_id
            and positions.session_date = ended.session_date
            and positions.quantity <> 0
    ) as carried
where carried.open_count > 0
order by session_date, account_id;
