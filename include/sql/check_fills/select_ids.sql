-- Looks for ids that occur more than once within an account of the session.
-- Grain: one row per account. Reads: current_deliveries, fills. Writes: -. Binds: session_date, as_of. Money: -.
-- Rerun: reads only.
with sessions_fills as (
    select
        fills.account_id,
        fills.fill_key
    from current_deliveries(%(as_of)s) as current_ones
    inner join fills on current_ones.delivery_id = fills.delivery_id
    where
        current_ones.session_date = %(session_date)s
        and fills.fill_key is not null
),

repeated as (
    select
        sessions_fills.account_id,
        sessions_fills.fill_key,
        count(*) as times
    from sessions_fills
    group by
        sessions_fills.account_id,
        sessions_fills.fill_key
    having count(*) > 1
)

select
    repeated.account_id as subject,
    concat(count(*), ' repeated ids') as observed,
    concat(
        'Account ', repeated.account_id, ' has ', count(*), ' ids that occur more than once, such as ',
        min(repeated.fill_key), '. Deliver the account''s session again.'
    ) as finding
from repeated
group by repeated.account_id
order by repeated.account_id;
