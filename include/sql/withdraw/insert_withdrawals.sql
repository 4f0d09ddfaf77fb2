-- Stores that what was delivered for an account-session does not count, or counts again, and notes it in the audit log.
-- Grain: one row per name the account was delivered with; one of the audit log. Writes: withdrawals, audit_log.
-- Binds: account_ids, delivery_ids (arrays of equal length), session_date, is_undone, author, host, reason, event,
-- message. Rerun: adds rows.
with noted as (
    insert into risk.audit_log (
        event,
        dag_id,
        dag_run_id,
        task_id,
        try_number,
        session_date,
        error_class,
        message
    )
    values (
        %(event)s,
        '',
        '',
        'riskctl withdraw',
        1,
        %(session_date)s,
        '',
        %(message)s
    )
)

insert into risk.withdrawals (
    account_id,
    session_date,
    through_delivery_id,
    is_undone,
    author,
    host,
    reason
)
select
    listed.account_id,
    %(session_date)s,
    listed.delivery_id,
    %(is_undone)s,
    %(author)s,
    %(host)s,
    %(reason)s
from unnest(%(account_ids)s::text[], %(delivery_ids)s::bigint[]) as listed (account_id, delivery_id)
order by listed.account_id;
