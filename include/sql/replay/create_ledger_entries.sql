-- Puts an empty table of this connection's own before ledger_entries.
-- Grain: as in ledger_entries. Reads: -. Writes: -. Binds: -. Money: as in ledger_entries.
-- Rerun: gone with its connection.
create temporary table ledger_entries (like public.ledger_entries including all);
