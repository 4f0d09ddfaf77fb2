-- Stores what a person entered about a breach; the caller has checked it.
-- Grain: one row. Writes: limit_breach_entries.
-- Binds: account_id, session_date, action, reason (null = reopened), sentence, user_id, user_name.
insert into risk.limit_breach_entries (account_id, session_date, action, reason, sentence, user_id, user_name)
values (%(account_id)s, %(session_date)s, %(action)s, %(reason)s, %(sentence)s, %(user_id)s, %(user_name)s);
