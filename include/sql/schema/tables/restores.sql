create table risk.restores (
    restore_id bigint generated always as identity primary key,
    head_sequence bigint not null,
    replaced_sequence bigint,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.restores is
'Restores of this warehouse from a backup: what was recorded after the backup is missing. Grain: one row per restore. '
'Append only; a restore writes it as the owner, the pipeline''s role only reads it.';
comment on column risk.restores.restore_id is 'Key of the restore.';
comment on column risk.restores.head_sequence is 'Number of the newest link in the backup; 0 = none.';
comment on column risk.restores.replaced_sequence is
'Largest number of a link of the warehouse that was replaced, or of one that this had replaced; null = not known.';
comment on column risk.restores.recorded_at is 'When the row was recorded (committed).';
