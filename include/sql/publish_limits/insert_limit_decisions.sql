-- Stores a decision; a second outcome for an account of a publication is ignored.
-- Grain: at most one row. Writes: limit_decisions.
-- Binds: publication_id, account_id, action, limit_usd, reason, user_id, user_name, seen_sha256, shown_at.
-- Money: US dollars. Rerun: an outcome changes nothing; the caller has checked edits.
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
values (
    %(publication_id)s,
    %(account_id)s,
    %(action)s,
    %(limit_usd)s,
    %(reason)s,
    %(user_id)s,
    %(user_name)s,
    %(seen_sha256)s,
    %(shown_at)s
)
on conflict (publication_id, account_id) where action <> 'edited' do nothing;
