-- Reads every account that somebody has named: one that delivered fills, or that a file states.
-- Grain: one row per account, by name. Reads: deliveries, accounts.
-- The index is asked for each next name: a year of a large desk has half a million deliveries of 2,000 accounts.
with recursive delivered as (
    select min(deliveries.account_id) as account_id
    from risk.deliveries
    union all
    select (
        select min(deliveries.account_id)
        from risk.deliveries
        where deliveries.account_id > delivered.account_id
    ) as account_id
    from delivered
    where delivered.account_id is not null
)

select delivered.account_id
from delivered
where delivered.account_id is not null
union
select accounts.account_id
from risk.accounts
order by account_id;
