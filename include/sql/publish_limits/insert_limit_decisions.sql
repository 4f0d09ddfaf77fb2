-- Stores decisions; a second outcome for an account of a publication is ignored.
-- Grain: at most one row per decision. Writes: limit_decisions.
-- Binds: publication_id, user_id, user_name, shown_at, decisions (JSON array of objects by column name, numbers as
-- decimal text). Money: US dollars. Rerun: an outcome changes nothing; the caller has checked edits.
insert into risk.limit_decisions (
    publication_id,
    account_id,
    action,
    limit_usd,
    reason,
    user_id,
    user_name,
    seen_sha256,
    shown_at
)
select
    %(publication_id)s,
    incoming.account_id,
    incoming.action,
    incoming.limit_usd,
    incoming.reason,
    %(user_id)s,
    %(user_name)s,
    incoming.seen_sha256,
    %(shown_at)s
from
    jsonb_to_recordset(%(decisions)s::jsonb) as incoming (
        account_id text,
        action text,
        limit_usd numeric,
        reason text,
        seen_sha256 text
    )
on conflict (publication_id, account_id) where action <> 'edited' do nothing;
