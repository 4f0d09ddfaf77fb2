-- Drops the working tables of a load.
-- Grain: -. Reads: -. Writes: -. Binds: -. Money: -. Rerun: they are made anew by the next load.
drop table staging.checked_fills,
staging.staged_names,
staging.staged_deliveries,
staging.staged_entries,
staging.staged_files,
staging.staged_fills,
staging.staged_moments,
staging.staged_reasons,
staging.staged_rejects,
staging.staged_symbols,
staging.staged_texts;
