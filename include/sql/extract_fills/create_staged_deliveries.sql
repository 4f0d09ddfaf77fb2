-- Creates the list of what the files of this load deliver; what the manifest names and no record mentions is an empty
-- delivery.
-- Grain: one row per file, account and session. Rerun: gone with its transaction.
-- content_sha256: hash of the records, good and bad, in any order.
create temporary table staged_deliveries (
    file_name text not null,
    account_id text not null,
    session_date date not null,
    published_at timestamptz,
    row_count bigint not null,
    loaded_count bigint not null,
    duplicate_count bigint not null,
    content_sha256 text not null,
    is_new boolean
) on commit drop;
