create table risk.limit_change_decisions (
    change_id bigint primary key references risk.limit_changes (change_id),
    action text not null check (action in ('approved', 'rejected')),
    seen_sha256 text not null check (seen_sha256 ~ '^[0-9a-f]{64}$'),
    user_id text not null check (user_id <> ''),
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.limit_change_decisions is
'Decisions about limit changes, by persons logged in to Airflow. Grain: at most one row per change. Append only.';
comment on column risk.limit_change_decisions.change_id is 'Change it decides.';
comment on column risk.limit_change_decisions.action is 'approved or rejected; without a row the change is pending.';
comment on column risk.limit_change_decisions.seen_sha256 is
'Hash of what the person was shown: the change, the limit it replaces, whether it needs a second person.';
comment on column risk.limit_change_decisions.user_id is 'Airflow''s id of the person.';
comment on column risk.limit_change_decisions.user_name is 'Name of the person.';
comment on column risk.limit_change_decisions.recorded_at is 'When the row was recorded (committed).';
