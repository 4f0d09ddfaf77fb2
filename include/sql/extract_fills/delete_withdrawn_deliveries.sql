-- Takes deliveries out of staging that repeat what a person has withdrawn, until something else is delivered for their
-- account-session.
-- Grain: one row per delivery. Reads: staged_deliveries, deliveries, withdrawn_deliveries, withdrawals.
-- Writes: staged_deliveries. Binds: recorded_at. Rerun: changes nothing.
with repeated as (
    select distinct
        staged_deliveries.file_name,
        staged_deliveries.account_id,
        staged_deliveries.session_date,
        withdrawals.author,
        withdrawals.reason
    from risk.withdrawn_deliveries(%(recorded_at)s) as withdrawn
    inner join risk.withdrawals on withdrawn.withdrawal_id = withdrawals.withdrawal_id
    inner join risk.deliveries on withdrawn.delivery_id = deliveries.delivery_id
    inner join pg_temp.staged_deliveries
        on
            deliveries.account_id = staged_deliveries.account_id
            and deliveries.session_date = staged_deliveries.session_date
            and deliveries.content_sha256 = staged_deliveries.content_sha256
    where not exists (
        select
        from risk.deliveries as later
        where
            later.account_id = deliveries.account_id
            and later.session_date = deliveries.session_date
            and later.delivery_id > withdrawals.through_delivery_id
    )
),

deleted as (
    delete from pg_temp.staged_deliveries
    using repeated
    where
        staged_deliveries.file_name = repeated.file_name
        and staged_deliveries.account_id = repeated.account_id
        and staged_deliveries.session_date = repeated.session_date
)

select
    repeated.file_name,
    repeated.account_id,
    repeated.session_date,
    repeated.author,
    repeated.reason
from repeated
order by
    repeated.file_name,
    repeated.account_id,
    repeated.session_date;
