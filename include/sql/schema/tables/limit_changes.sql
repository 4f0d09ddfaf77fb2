create table risk.limit_changes (
    change_id bigint generated always as identity primary key,
    account_id text not null,
    kind text not null check (kind in ('base', 'temporary', 'intraday')),
    limit_usd numeric(18, 2) not null check (limit_usd > 0 or (limit_usd = 0 and kind <> 'base')),
    starts_at timestamptz not null,
    ends_at timestamptz,
    reason text not null check (reason <> ''),
    requested_by text not null check (requested_by <> ''),
    requester_name text not null,
    needs_second_person boolean not null,
    replaces bigint references risk.limit_changes (change_id),
    recorded_at timestamptz not null default clock_timestamp(),
    check ((kind = 'base') = (ends_at is null)),
    check (ends_at > starts_at)
);

comment on table risk.limit_changes is
'Register of limit changes that persons asked for; they act once approved, see limit_change_decisions. Base limits of '
'accounts files are in accounts. Grain: one row per change. Append only.';
comment on column risk.limit_changes.change_id is 'Key of the change.';
comment on column risk.limit_changes.account_id is 'Account.';
comment on column risk.limit_changes.kind is
'base = from a session on; temporary = from an instant until another; intraday = until the end of the day.';
comment on column risk.limit_changes.limit_usd is
'Daily loss limit asked for, US dollars; 0 = no trading, not as a base limit.';
comment on column risk.limit_changes.starts_at is
'When it begins; a base limit at 00:00 of a session in the exchange''s zone. It never acts before its approval.';
comment on column risk.limit_changes.ends_at is 'When it has ended; null = a base limit, until the next one.';
comment on column risk.limit_changes.reason is 'Why, in the words of the person.';
comment on column risk.limit_changes.requested_by is
'Who asked: Airflow''s id of the person, or user@host of the command line.';
comment on column risk.limit_changes.requester_name is 'Name of the person.';
comment on column risk.limit_changes.needs_second_person is
'Whether the requester may not approve it: dual control, or a change above the policy''s largest.';
comment on column risk.limit_changes.replaces is 'Change that this one ends when it takes effect; null = none.';
comment on column risk.limit_changes.recorded_at is 'When the row was recorded (committed).';
