-- Creates the list of records that cannot become fills, first as codes, then with their sentences.
-- Grain: one row per file and line. Reads: -. Writes: staged_rejects. Binds: -. Money: -.
-- Rerun: gone with its transaction.
create unlogged table staging.staged_rejects (
    file_number integer not null,
    line_number bigint not null,
    account_id text,
    session_date date,
    codes text not null
);
