-- Finds the entries of a session, newest first.
-- Grain: -. Reads: ledger_entries. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index ledger_entries_session on ledger_entries (effective_session, account_id);
