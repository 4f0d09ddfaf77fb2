-- Refreshes what the planner knows: right after a million fills were loaded it knows nothing and joins row by row.
-- Grain: -. Reads: deliveries, fills. Writes: -. Binds: -. Money: -. Rerun: measures again.
analyze deliveries (account_id, session_date, delivery_id, recorded_at),
fills (delivery_id, account_id, session_date, symbol, currency, side);
