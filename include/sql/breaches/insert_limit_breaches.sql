-- Records the breaches that are new, and those that are none any more since the books or limits were restated.
-- Grain: one row per account-session that changed. Reads: limit_receipts, limit_breaches, renamed_accounts.
-- Writes: limit_breaches. Binds: run_id, as_of. Money: US dollars. Rerun: inserts nothing.
-- A breach recorded under a former name is the present one's. Without complete books nothing is known: nothing changes.
with recorded as (
    select distinct on (account_id, limit_breaches.session_date)
        coalesce(renamed.account_id, limit_breaches.account_id) as account_id,
        limit_breaches.session_date,
        limit_breaches.is_breach
    from risk.limit_breaches
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            limit_breaches.account_id = renamed.former_account_id
            and limit_breaches.session_date >= renamed.starts_at
            and limit_breaches.session_date < renamed.ends_before
    order by
        account_id asc,
        limit_breaches.session_date asc,
        limit_breaches.breach_id desc
)

insert into risk.limit_breaches (
    run_id,
    account_id,
    session_date,
    is_breach,
    limit_usd,
    largest_loss_usd,
    final_usd,
    breach_reasons
)
select
    %(run_id)s,
    limit_receipts.account_id,
    limit_receipts.session_date,
    limit_receipts.outcome = 'breach' as is_breach,
    limit_receipts.limit_usd,
    limit_receipts.largest_loss_usd,
    limit_receipts.final_usd,
    limit_receipts.breach_reasons
from derived.limit_receipts
left join recorded
    on
        limit_receipts.account_id = recorded.account_id
        and limit_receipts.session_date = recorded.session_date
where (limit_receipts.outcome = 'breach') <> coalesce(recorded.is_breach, false)
order by
    limit_receipts.session_date asc,
    limit_receipts.account_id asc;
