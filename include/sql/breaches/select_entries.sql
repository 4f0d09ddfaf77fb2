-- Reads what persons entered about a breach.
-- Grain: one row per entry, in order. Reads: limit_breach_entries, renamed_accounts. Binds: account_id, session_date.
-- An entry under a former name is the present one's.
select
    entries.entry_id,
    entries.action,
    entries.reason,
    entries.sentence,
    entries.user_name,
    entries.recorded_at
from risk.limit_breach_entries as entries
left join risk.renamed_accounts('infinity') as renamed
    on
        entries.account_id = renamed.former_account_id
        and entries.session_date >= renamed.starts_at
        and entries.session_date < renamed.ends_before
where
    entries.session_date = %(session_date)s
    and coalesce(renamed.account_id, entries.account_id) = %(account_id)s
order by entries.entry_id asc;
