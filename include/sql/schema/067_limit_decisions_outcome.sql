-- A matter is decided once: a second outcome for an account is refused by the database itself.
-- Grain: -. Reads: limit_decisions. Writes: -. Binds: -. Money: -. Rerun: applied once.
create unique index limit_decisions_outcome on limit_decisions (publication_id, account_id)
where action <> 'edited';
