-- Creates the list of the files of executions in this load that can be read.
-- Grain: one row per file. Rerun: gone with its transaction.
create temporary table staged_files (
    file_name text primary key,
    quarantine_reason text
) on commit drop;
