-- Tells the planner how many different deliveries the checked records have, and how few are no plain fills.
-- Grain: -. Reads: checked_fills. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
analyze checked_fills (file_number, account_id, session_date, correction_kind, codes);
