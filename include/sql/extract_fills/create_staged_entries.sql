-- Creates the list of what the manifest says about the files in this load.
-- Grain: one row per file, account and session. Reads: -. Writes: staged_entries. Binds: -. Money: -.
-- Rerun: gone with its transaction.
create unlogged table staging.staged_entries (
    file_number integer not null,
    account_id text not null,
    session_date date not null,
    published_at timestamptz not null,
    primary key (file_number, account_id, session_date)
);
