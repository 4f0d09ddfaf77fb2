-- Stores a note; the caller has checked it.
-- Grain: one row. Writes: notes. Binds: account_id (null = the desk), session_date (null = no day), sentence, corrects
-- (null = none), user_id, user_name.
insert into risk.notes (account_id, session_date, sentence, corrects, user_id, user_name)
values (%(account_id)s, %(session_date)s, %(sentence)s, %(corrects)s, %(user_id)s, %(user_name)s);
