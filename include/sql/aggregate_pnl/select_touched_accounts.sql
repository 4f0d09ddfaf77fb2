-- Finds the accounts whose books lag behind their fills, each with the first session to compute again.
-- Grain: one row per account. Reads: booked_deliveries, daily_pnl, positions, sessions. Writes: -. Money: -.
-- Binds: as_of, session_date, through_session_date. Rerun: reads only.
with known as (
    select
        booked.account_id,
        booked.session_date,
        booked.delivery_id
    from booked_deliveries(%(as_of)s) as booked
    where
        booked.fill_count > 0
        and booked.session_date <= %(session_date)s
),

cached as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        daily_pnl.delivery_id
    from daily_pnl
    where daily_pnl.session_date <= %(session_date)s
),

changed as (
    select
        coalesce(known.account_id, cached.account_id) as account_id,
        coalesce(known.session_date, cached.session_date) as session_date
    from known
    full join cached
        on
            known.account_id = cached.account_id
            and known.session_date = cached.session_date
    where known.delivery_id is distinct from cached.delivery_id
),

not_carried_on as (
    select
        positions.account_id,
        following.session_date
    from positions
    inner join sessions as closing
        on positions.session_date = closing.session_date
    inner join sessions as following
        on following.session_number = closing.session_number + 1
    left join daily_pnl as carried
        on
            positions.account_id = carried.account_id
            and following.session_date = carried.session_date
    where
        positions.quantity <> 0
        and following.session_date <= %(through_session_date)s
        and carried.account_id is null
),

touched as (
    select
        changed.account_id,
        changed.session_date
    from changed
    union all
    select
        not_carried_on.account_id,
        not_carried_on.session_date
    from not_carried_on
)

select
    touched.account_id,
    min(touched.session_date) as first_session_date
from touched
group by touched.account_id
order by touched.account_id;
