-- Puts an empty table of this connection's own before ledger_results.
-- Grain: as in ledger_results. Reads: -. Writes: -. Binds: -. Money: as in ledger_results.
-- Rerun: gone with its connection.
create temporary table ledger_results (like public.ledger_results including all);
