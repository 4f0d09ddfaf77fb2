create table risk.digests (
    through_date date primary key,
    database_bytes bigint not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.digests is 'Weekly digests that were mailed. Grain: one row per week. Append only.';
comment on column risk.digests.through_date is 'Last day of the week.';
comment on column risk.digests.database_bytes is 'Size of the database at that time; its growth is the difference.';
comment on column risk.digests.recorded_at is 'When the row was recorded (committed).';
