-- Reads the breaches whose session's report was mailed, with the newest entry about each, as known at an instant.
-- Grain: one row per account-session, oldest first. Reads: report_deliveries, runs, limit_receipts, limit_breaches,
-- limit_breach_entries, renamed_accounts. Money: US dollars.
-- Binds: as_of, through_session (later sessions do not count), account_id (null = all).
-- state: removed by a restatement, else as the newest entry says.
-- is_breach: as the books are now; null = they are incomplete. was_breach: as the newest row recorded by then says.
-- What was recorded under a former name is the present one's.
with mailed as (
    select distinct runs.session_date
    from risk.report_deliveries
    inner join risk.runs on report_deliveries.run_id = runs.run_id
    where
        report_deliveries.sent_at <= %(as_of)s
        and not runs.is_point_in_time
        and runs.session_date <= %(through_session)s
),

renames as (
    select
        renamed.former_account_id,
        renamed.starts_at,
        renamed.ends_before,
        renamed.account_id
    from risk.renamed_accounts(%(as_of)s) as renamed
),

recorded as (
    select distinct on (account_id, limit_breaches.session_date)
        coalesce(renames.account_id, limit_breaches.account_id) as account_id,
        limit_breaches.session_date,
        limit_breaches.is_breach,
        limit_breaches.limit_usd,
        limit_breaches.largest_loss_usd
    from risk.limit_breaches
    left join renames
        on
            limit_breaches.account_id = renames.former_account_id
            and limit_breaches.session_date >= renames.starts_at
            and limit_breaches.session_date < renames.ends_before
    where limit_breaches.recorded_at <= %(as_of)s
    order by
        account_id asc,
        limit_breaches.session_date asc,
        limit_breaches.breach_id desc
),

entered as (
    select distinct on (account_id, entries.session_date)
        coalesce(renames.account_id, entries.account_id) as account_id,
        entries.session_date,
        entries.entry_id,
        entries.action,
        entries.reason,
        entries.sentence,
        entries.user_id,
        entries.user_name,
        entries.recorded_at
    from risk.limit_breach_entries as entries
    left join renames
        on
            entries.account_id = renames.former_account_id
            and entries.session_date >= renames.starts_at
            and entries.session_date < renames.ends_before
    where entries.recorded_at <= %(as_of)s
    order by
        account_id asc,
        entries.session_date asc,
        entries.entry_id desc
),

known as (
    select
        limit_receipts.account_id,
        limit_receipts.session_date
    from derived.limit_receipts
    where limit_receipts.outcome = 'breach'
    union
    select
        recorded.account_id,
        recorded.session_date
    from recorded
)

select
    known.account_id,
    known.session_date,
    limit_receipts.outcome = 'breach' as is_breach,
    coalesce(recorded.is_breach, false) as was_breach,
    coalesce(limit_receipts.limit_usd, recorded.limit_usd) as limit_usd,
    coalesce(limit_receipts.largest_loss_usd, recorded.largest_loss_usd) as largest_loss_usd,
    limit_receipts.use_ratio,
    entered.entry_id,
    entered.action,
    entered.reason,
    entered.sentence,
    entered.user_id,
    entered.user_name,
    entered.recorded_at as entered_at,
    case
        when limit_receipts.outcome <> 'breach' then 'removed'
        when entered.action = 'closed' then 'closed'
        else 'open'
    end as state
from known
inner join mailed on known.session_date = mailed.session_date
left join recorded
    on
        known.account_id = recorded.account_id
        and known.session_date = recorded.session_date
left join entered
    on
        known.account_id = entered.account_id
        and known.session_date = entered.session_date
left join derived.limit_receipts
    on
        known.account_id = limit_receipts.account_id
        and known.session_date = limit_receipts.session_date
where %(account_id)s::text is null or known.account_id = %(account_id)s
order by
    known.session_date asc,
    known.account_id asc;
