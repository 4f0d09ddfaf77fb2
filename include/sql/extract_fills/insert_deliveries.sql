-- Stores the deliveries that say something new, oldest version first.
-- Grain: one row per delivery. Reads: staged_deliveries. Writes: deliveries.
-- Binds: load_id; the database says when each was recorded.
-- Returns the key of each. Rerun: stores nothing, because nothing is new then.
insert into risk.deliveries (
    load_id,
    file_name,
    account_id,
    session_date,
    content_sha256,
    published_at,
    row_count,
    loaded_count,
    rejected_count,
    duplicate_count,
    lost_count,
    stated_count,
    note
)
select
    %(load_id)s,
    staged_deliveries.file_name,
    staged_deliveries.account_id,
    staged_deliveries.session_date,
    staged_deliveries.content_sha256,
    staged_deliveries.published_at,
    staged_deliveries.row_count,
    staged_deliveries.loaded_count,
    staged_deliveries.row_count - staged_deliveries.loaded_count - staged_deliveries.duplicate_count,
    staged_deliveries.duplicate_count,
    staged_deliveries.lost_count,
    staged_deliveries.stated_count,
    staged_deliveries.note
from pg_temp.staged_deliveries
where staged_deliveries.is_new
order by
    staged_deliveries.session_date,
    staged_deliveries.published_at,
    staged_deliveries.account_id,
    staged_deliveries.file_name
returning
    deliveries.file_name,
    deliveries.account_id,
    deliveries.session_date,
    deliveries.delivery_id;
