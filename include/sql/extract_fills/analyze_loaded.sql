-- Tells the planner how large the stored tables have become; after a bulk load it would otherwise guess a few rows.
-- Grain: -. Reads: sessions, deliveries, fills, corrections. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
-- Of fills only what is joined or grouped by: to sort a sample of every column takes half as long again.
analyze risk.sessions,
risk.deliveries,
risk.fills (delivery_id, account_id, session_date, symbol, currency, fill_key),
risk.corrections;
