-- Reads what was delivered for a session as known at an instant: rows = loaded + rejected + duplicate.
-- Grain: one row per account, by name. Reads: current_deliveries. Binds: session_date, as_of.
select
    current_ones.account_id,
    current_ones.file_name,
    current_ones.recorded_at,
    current_ones.row_count,
    current_ones.loaded_count,
    current_ones.rejected_count,
    current_ones.duplicate_count,
    current_ones.row_count = current_ones.loaded_count + current_ones.rejected_count + current_ones.duplicate_count
        as is_balanced
from risk.current_deliveries(%(as_of)s) as current_ones
where current_ones.session_date = %(session_date)s
order by current_ones.account_id asc;
