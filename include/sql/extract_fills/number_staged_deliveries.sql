-- Notes the stored key of each new delivery, so that a million records join a small table.
-- Grain: one row per delivery. Reads: deliveries, staged_files. Writes: staged_deliveries. Binds: load_id. Money: -.
-- Rerun: changes nothing.
update staged_deliveries set
    delivery_id = deliveries.delivery_id
from risk.deliveries
inner join staged_files on deliveries.file_name = staged_files.file_name
where
    deliveries.load_id = %(load_id)s
    and staged_deliveries.file_number = staged_files.file_number
    and staged_deliveries.account_id = deliveries.account_id
    and staged_deliveries.session_date = deliveries.session_date;
