-- Creates the staging table of rejected records' raw text and sentences.
-- Grain: one row per file and line. Reads: -. Writes: staged_reasons. Binds: -. Money: -.
-- Rerun: gone with its transaction.
create unlogged table staging.staged_reasons (
    file_number integer not null,
    line_number bigint not null,
    raw_text text not null,
    reason text not null
);
