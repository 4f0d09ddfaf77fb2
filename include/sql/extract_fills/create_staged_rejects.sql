-- Creates the list of rejected records of this load.
-- Grain: one row per file and line. Rerun: gone with its transaction.
-- content_sha256: hash of the file's bytes.
create temporary table staged_rejects (
    file_name text not null,
    content_sha256 text not null,
    line_number bigint not null,
    delivery_id bigint,
    account_id text,
    session_date date,
    raw_text text not null,
    reason text not null
) on commit drop;
