-- Lists what was delivered for an account-session, under the account's present name or the one it was delivered with.
-- Grain: one row per name it was delivered with. Reads: deliveries, renamed_accounts, withdrawals.
-- Binds: account_id, session_date. newest_delivery_id: of any content; row_count, file_name, recorded_at: of that one.
-- is_undone, through_delivery_id, author, host, withdrawn_at: of the newest decision, null = there is none.
with newest as (
    select distinct on (deliveries.account_id)
        deliveries.account_id,
        deliveries.delivery_id,
        deliveries.file_name,
        deliveries.row_count,
        deliveries.recorded_at
    from risk.deliveries
    left join risk.renamed_accounts(clock_timestamp()) as renamed
        on
            deliveries.account_id = renamed.former_account_id
            and deliveries.session_date >= renamed.starts_at
            and deliveries.session_date < renamed.ends_before
    where
        deliveries.session_date = %(session_date)s
        and %(account_id)s in (deliveries.account_id, renamed.account_id)
    order by
        deliveries.account_id asc,
        deliveries.delivery_id desc
),

decided as (
    select distinct on (withdrawals.account_id)
        withdrawals.account_id,
        withdrawals.through_delivery_id,
        withdrawals.is_undone,
        withdrawals.author,
        withdrawals.host,
        withdrawals.recorded_at
    from risk.withdrawals
    where withdrawals.session_date = %(session_date)s
    order by
        withdrawals.account_id asc,
        withdrawals.withdrawal_id desc
)

select
    newest.account_id,
    newest.delivery_id as newest_delivery_id,
    newest.file_name,
    newest.row_count,
    newest.recorded_at,
    decided.is_undone,
    decided.through_delivery_id,
    decided.author,
    decided.host,
    decided.recorded_at as withdrawn_at
from newest
left join decided on newest.account_id = decided.account_id
order by newest.account_id;
