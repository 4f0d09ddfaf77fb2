-- The one definition of which delivery of an account-session counts, as known at an instant.
-- Grain: one row per account and session. Reads: deliveries. Writes: -. Binds: -. Money: -. Rerun: applied once.
-- Newest is what the source published last, or what we recorded last where the source does not say.
-- A plain SQL function, so that the planner inlines it: conditions on account_id and session_date reach the index.
create function current_deliveries(as_of timestamptz)
returns table (
    delivery_id bigint,
    load_id bigint,
    file_name text,
    account_id text,
    session_date date,
    content_sha256 text,
    published_at timestamptz,
    recorded_at timestamptz,
    row_count bigint,
    loaded_count bigint,
    rejected_count bigint,
    duplicate_count bigint
)
language sql
stable
parallel safe
as $$
    select distinct on (known.account_id, known.session_date)
        known.delivery_id,
        known.load_id,
        known.file_name,
        known.account_id,
        known.session_date,
        known.content_sha256,
        known.published_at,
        known.recorded_at,
        known.row_count,
        known.loaded_count,
        known.rejected_count,
        known.duplicate_count
    from deliveries as known
    where known.recorded_at <= current_deliveries.as_of
    order by
        known.account_id,
        known.session_date,
        coalesce(known.published_at, known.recorded_at) desc,
        known.delivery_id desc
$$;
