create table risk.loads (
    load_id bigint generated always as identity primary key,
    source text not null,
    is_simulated boolean not null,
    through_session_date date not null,
    recorded_at timestamptz not null default clock_timestamp(),
    is_history boolean not null default false
);

comment on table risk.loads is
'Loads of a source: each reads its files or query results once and commits what is new. Grain: one row per '
'load. Append only.';
comment on column risk.loads.load_id is 'Key of the load.';
comment on column risk.loads.source is 'Where it read: folder, query or vendor API.';
comment on column risk.loads.is_simulated is 'Whether the source is the simulated desk.';
comment on column risk.loads.through_session_date is 'Last session loaded; rows of later sessions are deferred.';
comment on column risk.loads.recorded_at is 'When the load was recorded.';
comment on column risk.loads.is_history is
'Whether the load backdates a bulk import: its deliveries count from when the source published them.';
