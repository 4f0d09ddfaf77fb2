-- Tells the planner how many different deliveries and ids the checked records have.
-- Grain: -. Reads: checked_fills. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze checked_fills (file_number, account_id, session_date, fill_key, codes);
